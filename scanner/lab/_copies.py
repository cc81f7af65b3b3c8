"""A plan of copies: which pictures of a data set are repeated how often in training, so that the truth is known.

The pictures are drawn by seed from those that are unlike all others drawn: each has a caption of its own and a
perceptual hash that is more than 8 bits from any other's, so that a picture has as many copies as the plan says and no
near-duplicates beside them. Of templates, the layouts are such pictures.

    >>> planned = planned_rows(samples, {1: 400, 128: 4}, seed=0)                       # doctest: +SKIP
    >>> len(planned.rows), planned.rows[0].key                                          # doctest: +SKIP
    (912, '000000000')
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.duplicates.captions import normalise_caption
from scanner.errors import UnusableInputError
from scanner.fingerprints import perceptual_hash
from scanner.lab._randomness import numpy_generator
from scanner.lab._templates import variants
from scanner.samples import Sample, Undecodable, decode

ROWS_PER_SHARD = 1000
LOOK_ALIKE_BITS = 8
"""Perceptual hashes this near belong to one picture, or may (the audit proposes such pairs too)."""


@dataclass(frozen=True)
class Planned:
    """The rows of a planned set."""

    rows: list[Sample]
    """In an order drawn by the seed."""
    templates: list[int | None]
    """Number of the template that each row is a variant of, from 0; None where it is of none."""


def planned_rows(
    samples: Iterable[Sample],
    plan: Mapping[int, int],
    seed: int,
    *,
    templates: Mapping[int, int] | None = None,
    captioned: bool = True,
) -> Planned:
    """The rows of the planned set under the shards and keys that they have in it, in an order drawn by `seed`.

    `plan` says how many pictures get how many copies, `templates` how many layouts get how many variants. `captioned`
    leaves out pictures without a caption. The samples' image files are all held in memory. Raises `UnusableInputError`
    when the data set has too few pictures.
    """
    found = [sample for sample in samples if sample.encoded is not None and (sample.caption or not captioned)]
    rng = numpy_generator(seed, "copies")
    wanted = _each(plan)
    layouts = _each(templates or {})
    drawn = _unlike((found[at] for at in rng.permutation(len(found)).tolist()), len(wanted) + len(layouts))
    if len(drawn) < len(wanted) + len(layouts):
        raise UnusableInputError(
            f"The plan of copies needs {len(wanted) + len(layouts)} different pictures"
            f"{' with captions' if captioned else ''}, and the data set has {len(drawn)}; plan fewer."
        )
    rows: list[tuple[Sample, int | None]] = [
        (sample, None) for sample, copies in zip(drawn, wanted, strict=False) for _ in range(copies)
    ]
    for number, (layout, count) in enumerate(zip(drawn[len(wanted) :], layouts, strict=True)):
        made = variants(layout, count, numpy_generator(seed, f"template {number}"))
        rows += [(variant, number) for variant in made]
    order = rng.permutation(len(rows)).tolist()
    return Planned(
        rows=[_placed(rows[at][0], number) for number, at in enumerate(order)],
        templates=[rows[at][1] for at in order],
    )


def _each(plan: Mapping[int, int]) -> list[int]:
    """The number of copies of each picture, the most first."""
    return [copies for copies, pictures in sorted(plan.items(), reverse=True) for _ in range(pictures)]


def _placed(sample: Sample, number: int) -> Sample:
    shard = f"{number // ROWS_PER_SHARD:05d}"
    return dataclasses.replace(sample, shard=shard, key=f"{shard}{number % ROWS_PER_SHARD:04d}")


def _unlike(samples: Iterator[Sample], wanted: int) -> Sequence[Sample]:
    """The first samples that are unlike those before them, at most `wanted`."""
    kept: list[Sample] = []
    captions: set[str] = set()
    hashes = np.empty(wanted, np.uint64)
    for sample in samples:
        if len(kept) == wanted:
            break
        caption = normalise_caption(sample.caption or "")
        found = _hash(sample)
        if found is None or (caption and caption in captions):
            continue
        if (np.bitwise_count(hashes[: len(kept)] ^ found) <= LOOK_ALIKE_BITS).any():
            continue
        hashes[len(kept)] = found
        captions.add(caption)
        kept.append(sample)
    return kept


def _hash(sample: Sample) -> np.uint64 | None:
    try:
        return np.uint64(perceptual_hash(decode(sample.encoded or b"")))
    except Undecodable:
        return None
