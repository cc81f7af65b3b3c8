"""Every number of the duplicate search, with its source, in one place.

>>> from scanner.duplicates import DuplicatesConfig
>>> DuplicatesConfig().max_worst_block
0.2
"""

from dataclasses import dataclass

from scanner.duplicates.neighbours import NeighbourConfig
from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class DuplicatesConfig:
    """How candidates are proposed, how they are looked at, and how groups are made of them."""

    threshold: float | None = None
    """Cosine from which a pair is proposed, over 0 to 1; None: set from the data set itself. Where there are no
    pictures to look at, it decides."""
    deciding_threshold: float = 0.95
    """The cosine of two embeddings as they are that makes a pair where there are no pictures and no threshold is given:
    users of CLIP take 0.94 to 0.96."""
    candidates_per_row: int = 20
    """Candidates that a row may get by chance on average: sets the threshold where none is given."""
    max_chance_rate: float = 0.01
    """Largest share of unlike pairs that the threshold may let through, whatever the budget: matters in small sets."""
    threshold_bounds: tuple[float, float] = (0.15, 0.8)
    """A measured threshold lies in this: hardly a copy is below, and what is above counts as a copy."""
    raw_threshold_bounds: tuple[float, float] = (0.6, 0.93)
    """The same where the set is too small to be whitened."""
    hash_distance: int = 8
    """Differing bits of the 64-bit perceptual hashes up to which a pair is proposed too."""
    looks_per_row: int = 100
    """Looks that may fail for both sides of a pair before no more are spent on it: bounds the cost of look-alikes."""
    whiten_dims: int = 256
    """Most dimensions kept by the whitening."""
    whiten_rows_per_dim: int = 8
    """Distinct rows needed for each dimension; with fewer the smallest directions are noise, and recall falls."""
    whiten_min_rows: int = 512
    """Below so many distinct rows the embeddings are compared as they are: whitening lowered recall there."""
    max_distance: float = 0.08
    """Largest mean absolute difference of two thumbnails of one picture, at mean 0 and deviation 0.25."""
    max_worst_block: float = 0.20
    """Largest difference of a 4 × 4 block, relative to the contrast there (see `look`)."""
    sure_worst_block: float = 0.12
    """The same where there are close looks: between the two, the geometry decides. Of 727 pairs accepted among light
    edits of look-alikes (letters, flags, clocks, figures, cards) 52 were wrong, all of them above it."""
    max_chained_block: float = 0.4
    """The same for a member against its group's centre, when a chain of accepted pairs ties it to the group."""
    min_deviation: float = 0.012
    """A thumbnail of less contrast (deviation on 0 to 1) is flat: there is nothing to compare, and it matches none."""
    min_crop: float = 0.8
    """Smallest side of a crop window, as a share of the picture's."""
    block_rows: int = 1024
    """Rows searched, and written as one part of the pairs table, at a time, where every pair is compared."""
    exhaustive_rows: int = 50_000
    """Up to so many distinct pictures every pair is compared; beyond, those in the same cells (see `neighbours`)."""
    probes: int = 9
    """Cells that half of the rows ask at least."""
    close_looks: int = 0
    """Of a picture's pairs that the thumbnails leave open, so many, the most similar, are looked at closely: by their
    geometry, which ties crops, mirror images and rotated copies. An audit takes 4, which tied 99 % and more of the
    copies of 14 edits where none tied 65 to 70 %. A search on its own takes none, since it needs the pictures again."""
    copy_looks: int = 20
    """Of a picture's pairs that thumbnails and geometry refuse, so many, the most similar, are compared by the copy
    model, where one is given: as many as it has candidates by chance, since a pair costs a product of two rows."""
    copy_cosine: float = 0.75
    """Cosine of two copy embeddings that makes a pair: 90 % precision on DISC2021 with sscd_disc_mixup, says the README
    of https://github.com/facebookresearch/sscd-copy-detection; another network needs another."""
    recall_queries: int = 500
    """Rows whose neighbours are looked for by brute force, to measure what the search missed."""
    seed: int = 0
    """Decides which rows the threshold is measured on."""

    def neighbours(self, *, decides: bool, known: int = 0, across: bool = False) -> NeighbourConfig:
        """How neighbours are looked for: `decides` where there are no pictures; of the first `known` rows none with
        one another, and `across` only with them."""
        return NeighbourConfig(
            exhaustive_rows=self.exhaustive_rows,
            probes=self.probes,
            block_rows=self.block_rows,
            decides=decides,
            fresh=known,
            across=across,
            seed=self.seed,
        )

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise UnusableInputError(f"A threshold of {self.threshold} is no cosine; give one above 0 and at most 1.")
        if self.candidates_per_row < 1 or self.looks_per_row < 1 or self.block_rows < 1:
            raise UnusableInputError("Candidates per row, looks per row and block rows must be 1 or more; raise them.")
        if not 0 < self.copy_cosine <= 1:
            raise UnusableInputError(f"A copy cosine lies above 0 and at most at 1, not at {self.copy_cosine}.")
        if not 0 <= self.hash_distance <= 64:
            raise UnusableInputError(
                f"A hash distance of {self.hash_distance} bits is not possible; give one of 0 to 64."
            )
