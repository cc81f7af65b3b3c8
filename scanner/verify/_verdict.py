"""The verdict on one prompt, from its full-step generations and every original.

`matching`: at least two generations show one original that carries the prompt's caption. `retrieved`: they show one
original, but one with other captions (Webster 2023, arXiv 2305.08694, calls both verbatim; we keep the words apart so
that a reader sees whose picture came back). `template`: they show the layout that several originals share, and no two
of them show what one of these has in the region where they differ. `none`: no two agree. The paper's rule, one
generation within l2 0.15 of any original (Carlini et al. 2023), is computed beside it and decides nothing here.

    >>> Verifier(originals, threshold=0.12, ...)(evidence)["verdict"]          # doctest: +SKIP
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import (
    EVIDENCE_FIRST,
    NEEDED,
    Agreement,
    agreement,
    as_unit,
    from_png,
    is_there,
    l2,
    normalised_l2,
    tile_l2,
)
from scanner.verify._layouts import Layouts, ShownLayout
from scanner.verify._originals import Originals
from scanner.verify._placement import placed
from scanner.verify._template import COPIED

PAPER_L2 = 0.15
"""The paper's extraction rule for Stable Diffusion: (l2, 0.15) on [0, 1] pixels (Carlini et al. 2023, section 4.2)."""
EIDETIC_L2 = 0.10
"""Training rows within this l2 of the original count towards k of (k, l, δ)-eidetic memorisation (ibid.)."""

CANDIDATES = 64
"""Originals that are compared by the images' own mask, at most."""

CopySimilarity = Callable[[NDArray[np.uint8], NDArray[np.uint8]], float]
"""Two pictures (size, size, 3) → cosine of their embeddings."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One attacked prompt and its generations."""

    prompt_id: str
    """The prompt."""
    own: frozenset[int]
    """The originals that carry its caption: their group ids, or sample ids where they are in no group."""
    generations: pl.DataFrame
    """All its rows of the generations table; the full-step ones, made when the search found agreement, are judged."""


class Verifier:
    """Everything that a verdict is read against: the originals, their groups and multiplicities, the threshold."""

    def __init__(  # noqa: PLR0913 - what verdicts are read against
        self,
        originals: Originals,
        layouts: Layouts,
        *,
        copies_of: Mapping[int, int],
        copy_similarity: CopySimilarity | None,
        threshold: float,
        template_threshold: float,
    ) -> None:
        self.originals, self.layouts, self.copies_of = originals, layouts, copies_of
        self.copy_similarity, self.threshold, self.template_threshold = copy_similarity, threshold, template_threshold

    def __call__(self, evidence: Evidence) -> dict[str, Any]:
        """One row of the hits table."""
        usable = evidence.generations.filter(pl.col("defect").is_null())
        full = full_steps(evidence.generations)
        row: dict[str, Any] = {
            "prompt_id": evidence.prompt_id,
            "verdict": "none",
            "agreeing": 0,
            "evidence": evidence.generations.filter(is_there(), pl.col("image_index") >= EVIDENCE_FIRST).height,
            "paper_rule": bool((usable["l2"] <= PAPER_L2).any()) if usable.height else None,
            "paper_l2": usable["l2"].min(),
        }
        near = near_originals(full)
        agreed = agreement(near, self.originals.group_of, threshold=self.threshold)
        if agreed is not None:
            row |= {"agreeing": agreed.count, **self._distances(full, agreed.sample_id)}
            if agreed.count >= NEEDED:
                return row | self._shown(evidence, full, agreed)
        layout = shown_layout(full, evidence.own, self.layouts)
        if layout is not None:
            row |= {"template_l2": layout.l2, "template_area": layout.area}
        if layout is not None and layout.l2 <= self.template_threshold:
            agreeing = sum(distance <= self.template_threshold for distance in layout.distances)
            return row | {"verdict": "template", "agreeing": agreeing, **self._distances(full, layout.sample_id)}
        return row | self._placed(full)

    def _placed(self, full: pl.DataFrame) -> dict[str, Any]:
        """An original that the images show mirrored or moved: told, and not counted."""
        if full.height < NEEDED:
            return {}
        images = as_unit(np.stack([from_png(encoded) for encoded in full["png"]]))
        found = placed(images, self.originals, threshold=self.threshold)
        if found is None:
            return {}
        return {
            "placement": found.words,
            "placement_x": found.shift_x,
            "placement_y": found.shift_y,
            "placement_l2": found.l2,
            "placement_sample_id": found.sample_id,
        }

    def _shown(self, evidence: Evidence, full: pl.DataFrame, agreed: Agreement) -> dict[str, Any]:
        """What two images that show one original are called."""
        showing = [
            encoded
            for encoded, near in zip(full["png"], near_originals(full), strict=True)
            if any(self._is_of(sample, agreed) and distance <= self.threshold for sample, distance in near)
        ]
        images = as_unit(np.stack([from_png(encoded) for encoded in showing]))
        shares, area = self.layouts.masked_shares(images, agreed.sample_id)
        share = None if shares is None else float(np.sort(shares)[NEEDED - 1])
        masked = {} if share is None else {"masked_share": share, "template_area": area}
        if share is not None and share > COPIED:
            layout = shown_layout(full, evidence.own, self.layouts)
            return {"verdict": "template", "template_l2": None if layout is None else layout.l2, **masked}
        own = self.originals.group_of.get(agreed.sample_id, agreed.sample_id) in evidence.own
        return {"verdict": "matching" if own else "retrieved", **masked}

    def _is_of(self, sample: int, agreed: Agreement) -> bool:
        group_of = self.originals.group_of
        return group_of.get(sample, sample) == group_of.get(agreed.sample_id, agreed.sample_id)

    def _distances(self, full: pl.DataFrame, sample: int) -> dict[str, Any]:
        """All scores of the generation that lies nearest to an original (or to its reconstruction)."""
        pixels = self.originals.pictures([sample])[0]
        restored = self.originals.reconstruction(sample)
        references = as_unit(np.stack([pixels] if restored is None else [pixels, restored]))
        images = [from_png(encoded) for encoded in full["png"]]
        distances = np.stack([normalised_l2(as_unit(image), references) for image in images])
        best = int(distances.min(axis=1).argmin())
        image = as_unit(images[best])
        within = self.originals.count_within(sample, EIDETIC_L2)
        return {
            "sample_id": sample,
            "original_state": self.originals.state(sample),
            "l2": float(l2(image, references[0])),
            "normalised_l2": float(distances[best, 0]),
            "tile_l2": float(tile_l2(image, references).min()),
            "reconstruction_l2": float(distances[best, 1]) if restored is not None else None,
            "copy_similarity": None if self.copy_similarity is None else self.copy_similarity(images[best], pixels),
            "k": sum(self.copies_of[other] for other in within),
            "seed": full["seed"][best],
        }


def full_steps(generations: pl.DataFrame) -> pl.DataFrame:
    """The images that are judged, of a prompt's rows of the generations table."""
    usable = pl.col("defect").is_null() & (pl.col("image_index") >= EVIDENCE_FIRST)
    return generations.filter(usable).sort("image_index")


def shown_layout(full: pl.DataFrame, own: frozenset[int], layouts: Layouts) -> ShownLayout | None:
    """The layout that a prompt's full-step images show, rows of the generations table; compared by the images' own mask
    are the originals that carry its caption, and those that some image lies near."""
    if full.height < NEEDED:
        return None
    near = {sample for pairs in near_originals(full) for sample, _ in pairs}
    indexed = np.intersect1d(np.array(sorted(own), np.int64), layouts.originals.blocks.sample_id)
    candidates = sorted(near.union(indexed.tolist()))[:CANDIDATES]
    return layouts.shown(as_unit(np.stack([from_png(encoded) for encoded in full["png"]])), candidates)


def near_originals(full: pl.DataFrame) -> list[list[tuple[int, float]]]:
    """Per full-step image (sample_id, distance) of the originals near it."""
    return [list(zip(ids, distances, strict=True)) for ids, distances in full.select("near", "near_l2").iter_rows()]
