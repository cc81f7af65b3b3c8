"""The spot check of embeddings that were given beside the images: did this model make them, of these images?

A few rows of the data set are embedded again and compared with what was given. Measured with the demo model on 140
pictures: an embedding computed in float16 has a cosine of 0.9998 or more to that computed in float32, one in bfloat16
of 0.9935 or more; 99.9 % of the embeddings of two different pictures have less than 0.96. A picture that was encoded
again (JPEG, quality 95) is another input, and had down to 0.94: the embeddings must be those of the images as they lie
there.

    >>> check_embeddings(WithEmbeddings(dataset=dataset, given=given), load_embedder("demo")).worst   # doctest: +SKIP
    0.9998
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.fingerprints._embed import Embedder
from scanner.samples import Sample, Shard, Undecodable, WithEmbeddings, decode

CHECKED_ROWS = 16
"""Rows that are embedded again."""
SAME_EMBEDDING = 0.98
"""Cosine from which two embeddings are one picture's by one model."""
_READ_ROWS = 20_000
"""Rows of a shard that are read in search of some with an embedding."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What the spot check found."""

    checked: int
    """Rows embedded again."""
    worst: float
    """Smallest cosine of a given embedding to the model's own."""
    given: int
    """Embeddings that were given, whatever rows they belong to."""
    ambiguous: int
    """Those of them whose key another one has, which were given to no row."""


def check_embeddings(dataset: WithEmbeddings, embedder: Embedder) -> Check:
    """Embed some rows of the data set again. Raises UnusableInputError where a given embedding is another one, where
    it is of another width, or where no row has any."""
    given = dataset.given
    if given.width != embedder.width:
        raise UnusableInputError(
            f"The embeddings in {given} are {given.width:,} wide, and {embedder.name} makes them {embedder.width:,} "
            "wide; name the model that made them with --model."
        )
    worst: tuple[float, str] = (2.0, "")
    checked = 0
    for sample, picture in _rows(dataset):
        assert sample.embedding is not None
        own = embedder([picture])[0]
        worst = min(worst, (_cosine(own, sample.embedding), f"{sample.key} of {sample.shard}"))
        checked += 1
    if not checked:
        raise UnusableInputError(
            f"None of the first rows of the data set has an embedding in {given}, which are found by their keys; "
            "leave --embeddings out to embed all rows."
        )
    if worst[0] < SAME_EMBEDDING:
        raise UnusableInputError(
            f"The embeddings in {given} are not those that {embedder.name} makes of these images: row {worst[1]} has a "
            f"cosine of {worst[0]:.3f} to its own, where {SAME_EMBEDDING} is the least; name the model that made them "
            "with --model, or leave --embeddings out."
        )
    return Check(checked=checked, worst=worst[0], given=given.rows, ambiguous=given.ambiguous)


def _cosine(one: NDArray[np.float16], other: NDArray[np.float16]) -> float:
    first, second = one.astype(np.float64), other.astype(np.float64)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def _rows(dataset: WithEmbeddings) -> Iterator[tuple[Sample, NDArray[np.uint8]]]:
    """At most CHECKED_ROWS rows with an embedding and an image that can be decoded: of shards spread evenly over the
    set, and of each of them rows that lie further and further apart."""
    shards = dataset.shards
    spread = sorted({round(at) for at in np.linspace(0, len(shards) - 1, min(len(shards), CHECKED_ROWS))})
    wanted = -(-CHECKED_ROWS // max(1, len(spread)))
    left = CHECKED_ROWS
    for index in spread:
        for row in _rows_of(dataset, shards[index], min(wanted, left)):
            left -= 1
            yield row


def _rows_of(dataset: WithEmbeddings, shard: Shard, count: int) -> Iterator[tuple[Sample, NDArray[np.uint8]]]:
    following = position = found = 0
    for number, item in enumerate(dataset.read(shard)):
        if found == count or number == _READ_ROWS:
            return
        if not isinstance(item, Sample) or item.embedding is None or item.encoded is None:
            continue
        position += 1
        if position <= following:
            continue
        try:
            picture = decode(item.encoded)
        except Undecodable:
            continue  # it will stand in the ledger
        yield item, picture
        found += 1
        following = max(position, 2 * following)
