"""How alike two pictures are by chance: cosines of random pairs, and the threshold at a stated false-positive rate.

A cosine of 0.95 means something else for every model and every data set, so a threshold that is borrowed is a guess.
Here it is read off random pairs of distinct pictures of a run, in both ways in which the search uses a cosine:

- **proposes**: with pictures, the cosine of whitened embeddings only proposes a pair, and a look at both pictures
  decides. A false positive costs a look, so the rate follows from the candidates that a row may have by chance.
- **decides**: without pictures, the cosine of the embeddings as they are decides, and a false positive stays.

Pairs are drawn independently and uniformly, so that the exact intervals hold for the pairs of this set;
where the set has no more pairs than were asked for, each is taken once, and the interval is that of as many independent
pairs. Pairs share pictures, so that for other pictures of the same source it is too narrow: when the demo's 1,844
distinct pictures were halved 40 times, the threshold for a rate of 10⁻⁴ in one half let through 0.4 to 1.8 times that
in the other (5th to 95th percentile, median 1.0), and for 10⁻³ 0.8 to 1.3 times.

What the run knows to be copies is left out of the random pairs, and counted: members of one group, or, in a run whose
groups are not made yet, pictures within `hash_distance` bits. Where a run had no pictures, its groups were made by the
cosine itself: the rate at and above its threshold can't be told from such a run, `rate_with_left_out` bounds it from
above, and a labelled sample tells it.

    >>> found = calibrate(Scanned(samples=samples, embeddings=embeddings), CalibrationSettings())  # doctest: +SKIP
    >>> found.decides.threshold.cosine                                                             # doctest: +SKIP
    0.9692
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._calibration import (
    Calibration,
    CalibrationSettings,
    Kind,
    KindCalibration,
    LabelledCosines,
    PrecisionThreshold,
)
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._cosines import GRID, HIGHEST, PER_UNIT, CosineCounts, threshold_at
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._labels import Labels
from scanner.duplicates._random_pairs import Block, Copies, Scanned, Space, block_count, blocks, pairs_of, spaces_of
from scanner.errors import UnusableInputError

Chosen = NDArray[np.bool_]
Track = Callable[[Iterable[Block], int], Iterable[Block]]


def calibrate(
    scanned: Scanned,
    settings: CalibrationSettings,
    labels: Labels | None = None,
    track: Track = lambda blocks, _: blocks,
) -> Calibration:
    """Measure both kinds. `track` is given the blocks of random pairs and how many they are, and passes them on.

    Raises UnusableInputError when there are fewer than two distinct pictures, when embeddings hold NaN, when the pairs
    are too few for a rate, or when no threshold has it.
    """
    found = collapse(scanned.samples, scanned.embeddings)
    count = len(found.first)
    if count < 2:
        raise UnusableInputError(
            f"The run has {count} distinct picture{'' if count == 1 else 's'} in {len(scanned.samples):,} rows, and a "
            "random pair needs two; calibrate on a larger data set."
        )
    config = DuplicatesConfig()
    rates = _rates(settings, config, count)
    _refuse_too_fine("--rate", rates["decides"], settings, count)
    _refuse_too_fine("--propose-rate", rates["proposes"], settings, count)
    spaces = spaces_of(scanned, found, config)
    copies = Copies(scanned, found, config)
    drawn = track(blocks(count, settings.pairs, seed=settings.seed), block_count(count, settings.pairs))
    measured = _count_random(spaces, copies, drawn)
    kinds = {
        one.space.kind: _kind(
            one, copies, _labelled(one.space, found, labels), rates[one.space.kind], settings.precision
        )
        for one in measured
    }
    return Calibration(
        rows=len(scanned.samples),
        distinct=count,
        width=scanned.embeddings.shape[1],
        pictures=copies.pictures,
        every_pair=pairs_of(count) <= settings.pairs,
        left_out_by=copies.known_by,
        settings=settings,
        proposes=kinds["proposes"],
        decides=kinds["decides"],
    )


def whitened_dims(distinct: int, width: int, config: DuplicatesConfig) -> int | None:
    """Dimensions that the search whitens so many distinct pictures to (fewer where they vary in fewer); None: it does
    not. Cosines of another number of dimensions are not comparable."""
    dims = min(config.whiten_dims, width, distinct // config.whiten_rows_per_dim)
    return dims if distinct >= config.whiten_min_rows and dims >= 2 else None


def _rates(settings: CalibrationSettings, config: DuplicatesConfig, count: int) -> dict[Kind, float]:
    allowed = min(config.max_chance_rate, config.candidates_per_row / count)
    propose = allowed if settings.propose_rate is None else settings.propose_rate
    return {"proposes": propose, "decides": settings.rate}


def _refuse_too_fine(name: str, rate: float, settings: CalibrationSettings, count: int) -> None:
    """Raises UnusableInputError when so many pairs can't tell the rate from zero."""
    there, needed = pairs_of(count), int(np.ceil(1 / rate * (1 - 1e-12)))
    if needed <= min(there, settings.pairs):
        return
    if needed <= there:
        have, instead = f"--pairs draws {settings.pairs:,}", f"give --pairs {needed} or more"
    else:
        have = f"{count:,} distinct pictures have {there:,}"
        finest = 10.0 ** -np.floor(np.log10(there))
        instead = f"give {name} {finest:.0e} or more" if finest < 1 else "calibrate on a larger data set"
    raise UnusableInputError(
        f"A false-positive rate of {rate:.2g} needs {needed:,} random pairs, and {have}; {instead}."
    )


@dataclass(frozen=True, kw_only=True)
class _Random:
    """The random pairs in one space."""

    space: Space
    unlike: CosineCounts
    left_out: CosineCounts


def _count_random(spaces: Iterable[Space], copies: Copies, drawn: Iterable[Block]) -> list[_Random]:
    """Count all blocks in each space, apart from the pairs that are known as copies."""
    nothing = CosineCounts.of()
    counted = [_Random(space=space, unlike=nothing, left_out=nothing) for space in spaces]
    for block in drawn:
        known = copies.known(block.left, block.right)
        wanted = (block.right > block.left) if known.ndim == 2 else np.ones_like(known)
        counted = [_with_block(before, block, wanted & ~known, wanted & known) for before in counted]
    return counted


def _with_block(before: _Random, block: Block, unlike: Chosen, left_out: Chosen) -> _Random:
    cosines = before.space.cosines(block.left, block.right)
    return _Random(
        space=before.space,
        unlike=before.unlike + CosineCounts.of(cosines[unlike]),
        left_out=before.left_out + CosineCounts.of(cosines[left_out]),
    )


def _labelled(space: Space, found: Collapse, labels: Labels | None) -> LabelledCosines | None:
    if labels is None:
        return None
    cosines = space.cosines(found.inverse[labels.left], found.inverse[labels.right])
    return LabelledCosines(same=CosineCounts.of(cosines[labels.same]), other=CosineCounts.of(cosines[~labels.same]))


def _kind(
    random: _Random, copies: Copies, labelled: LabelledCosines | None, rate: float, precision: float | None
) -> KindCalibration:
    space = random.space
    return KindCalibration(
        kind=space.kind,
        whitened=space.whitened,
        dims=space.vectors.shape[1],
        embedding=space.note,
        unlike=random.unlike,
        left_out=random.left_out,
        accepted=CosineCounts.of(space.cosines(*copies.accepted)),
        to_medoid=CosineCounts.of(space.cosines(*copies.to_medoid)),
        labelled=labelled,
        threshold=threshold_at(random.unlike, rate),
        precise=_precise(labelled, precision),
    )


def _precise(labelled: LabelledCosines | None, wanted: float | None) -> PrecisionThreshold | None:
    """The smallest threshold above 0 of the wanted precision, which keeps the most recall."""
    if labelled is None or wanted is None:
        return None
    offered = slice(PER_UNIT + 1, PER_UNIT + HIGHEST + 1)
    same = labelled.same.reaching[offered]
    reached = same + labelled.other.reaching[offered]
    enough = np.flatnonzero((reached > 0) & (same >= wanted * reached))
    if not len(enough):
        return None
    at = enough[0]
    return PrecisionThreshold(
        cosine=float(GRID[offered][at]), wanted=wanted, same=int(same[at]), reached=int(reached[at])
    )
