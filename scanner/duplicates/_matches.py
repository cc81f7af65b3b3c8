"""Pictures of another set in this one: leaked test images, a benchmark, images that must not be there.

A picture of this set whose pixels are those of one of the other is found without a search. The others are proposed as
in the search of one set (cosine or hash, `_propose`), but only pairs of a picture here and one there, and the same look
decides. Both sets are whitened as this set's search whitened its own rows, and its threshold proposes.

Of a picture's candidates the most similar are looked at first, and of those that come together none after one is
accepted; the accepted one with the highest cosine is its match. A picture with equal pixels there, or one that was
accepted `_ENOUGH` times, is settled: looks grow with the pictures, not with the pairs.

    >>> search = MatchSearch(here, there, DuplicatesConfig(), cosine=0.4)                # doctest: +SKIP
    >>> for part in search.parts:                                                        # doctest: +SKIP
    ...     MATCH_PAIRS.write(run, search.search(part), part)
    >>> search.matches()                                                                 # doctest: +SKIP
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._judge import BySimilarity, ByThumbnail, Judge
from scanner.duplicates._propose import Places, Proposals, Proposer, joined, part_names
from scanner.duplicates._search import thumbnails_of
from scanner.duplicates._whiten import whiten
from scanner.duplicates.neighbours import PARALLEL, Behind, Stored, UnitRows
from scanner.errors import UnusableInputError
from scanner.tables import MATCH_PAIRS, SAMPLES

_ENOUGH = 64
"""Accepted looks after which a picture is settled: two groups of 10,000 copies have 10⁸ pairs."""
_HELD = 1_000_000
"""Proposals held before they are looked at: 13 MB."""
PIXELS = "pixels"
"""What the matches table calls equal pixels."""


@dataclass(frozen=True, kw_only=True)
class OneSet:
    """The rows of a run."""

    samples: pl.DataFrame
    """Sorted by sample_id, with `sample_id, pixel_sha256, phash, thumbnail`."""
    embeddings: Stored
    """(rows, d), row i belonging to row i."""


class MatchSearch:
    """An open search for the pictures of one set among those of another, asked part by part, in order."""

    def __init__(
        self, here: OneSet, there: OneSet, config: DuplicatesConfig, *, cosine: float, fitted_rows: int | None = None
    ) -> None:
        """`cosine` proposes (or decides, without pictures); the whitening is that of the first `fitted_rows` rows here.

        Raises UnusableInputError when one set has pictures and the other has none.
        """
        self._config, self._cosine = config, min(cosine, PARALLEL)
        self._sides = [collapse(side.samples, side.embeddings) for side in (here, there)]
        both = [_distinct(*pair) for pair in zip((here, there), self._sides, strict=True)]
        self._distinct, self._known = pl.concat(both), len(both[0])
        self._all_ids = here.samples["sample_id"]
        self._equal = _equal(*both)
        self._settled = np.zeros(len(self._distinct), np.uint32)
        self._settled[: self._known][self._equal >= 0] = _ENOUGH
        self._failed = np.zeros(len(self._distinct), np.uint32)
        self._found: list[pl.DataFrame] = [MATCH_PAIRS.empty()]
        self._opened: Proposer | None = None
        self._done = 0
        self.parts: tuple[str, ...] = ()
        """Names of the parts, in the order in which they must be searched; none where a set is empty."""
        if min(map(len, both)):
            self._open_rows(here, there, fitted_rows)

    def _open_rows(self, here: OneSet, there: OneSet, fitted_rows: int | None) -> None:
        known = self._known
        pixels = self._distinct["pixel_sha256"]
        without = [half.null_count() == len(half) for half in (pixels[:known], pixels[known:])]
        if without[0] != without[1]:
            raise UnusableInputError(
                "One of the two runs has pictures and the other has embeddings alone, so that no look can decide; "
                "compare runs of one kind."
            )
        first, other = (side.first for side in self._sides)
        stored = Behind(here.embeddings, there.embeddings)
        rows = np.concatenate([first, other + here.embeddings.shape[0]])
        self._hashes: NDArray[np.uint64] | None = None
        self._judge: Judge
        if without[0]:
            self._rows = UnitRows.of(stored, rows)
            self._judge = BySimilarity(self._rows, self._cosine)
        else:
            fitted = len(first) if fitted_rows is None else int(np.searchsorted(first, fitted_rows))
            self._rows = UnitRows.of(whiten(stored, rows, self._config, fitted=fitted).vectors)
            self._judge = ByThumbnail(thumbnails_of(self._distinct), self._config)
            self._hashes = self._distinct["phash"].to_numpy().astype(np.uint64)
        self._neighbours = self._config.neighbours(decides=without[0], known=known, across=True)
        self.parts = part_names(len(rows), self._neighbours, known=known, hashed=self._hashes is not None)

    def search(self, part: str) -> pl.DataFrame:
        """Search one part: the pairs looked at, as rows of `scanner.tables.MATCH_PAIRS`."""
        if self._opened is None:
            self._opened = Proposer(
                self._rows,
                self._hashes,
                cosine=self._cosine,
                bits=self._config.hash_distance,
                config=self._neighbours,
            )
            assert self._opened.parts == self.parts, "an index has the parts that were named before it was opened"
        found, waiting = [MATCH_PAIRS.empty()], list[Proposals]()
        for proposals in self._opened.propose(part, self._is_open):
            waiting.append(proposals)
            if sum(map(len, waiting)) >= _HELD:
                found.extend(self._settle(joined(waiting)))
                waiting.clear()
        found.extend(self._settle(joined(waiting)) if waiting else ())
        return self._take(part, MATCH_PAIRS.conform(pl.concat(found)))

    def restore(self, part: str, pairs: pl.DataFrame) -> None:
        """Take a part's pairs as `search` gave them in an earlier process, instead of searching it again."""
        left = np.searchsorted(self._ids(0), pairs["sample_id"].to_numpy())
        right = np.searchsorted(self._ids(1), pairs["other_sample_id"].to_numpy()) + self._known
        self._count(left, right, pairs["accepted"].to_numpy())
        self._take(part, pairs)

    def matches(self) -> pl.DataFrame:
        """Once every part was searched or restored, one row per row here that shows a picture of the other set:
        `sample_id, other_sample_id` (the first row there of that picture), and how it was found."""
        assert self._done == len(self.parts), "every part is searched or restored before matches are made"
        near = pl.concat(self._found).filter("accepted")
        near = near.sort("sample_id", -pl.col("similarity"), "look_distance", "other_sample_id")
        near = near.unique("sample_id", keep="first", maintain_order=True)
        same = np.flatnonzero(self._equal >= 0)
        equal = pl.DataFrame(
            {"sample_id": self._ids(0)[same], "other_sample_id": self._ids(1)[self._equal[same]]},
            schema={"sample_id": pl.Int64, "other_sample_id": pl.Int64},
        ).with_columns(
            look=pl.lit(PIXELS),
            similarity=pl.lit(1.0, pl.Float32),
            hash_distance=pl.lit(0, pl.Int16),
            look_distance=pl.lit(0.0, pl.Float32),
        )
        each = pl.concat([equal, near.select(equal.columns)])
        shown = pl.DataFrame({"row": self._all_ids, "sample_id": self._ids(0)[self._sides[0].inverse]})
        return shown.join(each, on="sample_id").drop("sample_id").rename({"row": "sample_id"}).sort("sample_id")

    def _ids(self, side: int) -> NDArray[np.int64]:
        """(n,): sample_id of the distinct pictures here (0) or there (1), ascending."""
        ids: NDArray[np.int64] = self._distinct["sample_id"].to_numpy()
        return ids[self._known :] if side else ids[: self._known]

    def _take(self, part: str, pairs: pl.DataFrame) -> pl.DataFrame:
        assert part in self.parts[self._done : self._done + 1], "parts are searched in order, each once"
        self._done += 1
        self._found.append(pairs)
        return pairs

    def _is_open(self, left: Places, right: Places) -> NDArray[np.bool_]:
        failed = np.minimum(self._failed[left], self._failed[right])
        open_pairs: NDArray[np.bool_] = (self._settled[left] < _ENOUGH) & (failed < self._config.looks_per_row)
        return open_pairs

    def _settle(self, proposals: Proposals) -> Iterator[pl.DataFrame]:
        """Look at the pairs, of each picture the most similar first, until one is accepted."""
        order = np.lexsort((proposals.right, -proposals.similarity, proposals.left))
        waiting, at_once = proposals.take(order), 1
        while len(waiting):
            rank = np.arange(len(waiting)) - np.searchsorted(waiting.left, waiting.left)
            now = waiting.take(rank < at_once)
            verdicts = self._judge(now)
            self._count(now.left, now.right, verdicts.accepted)
            yield self._as_pairs(now, verdicts.accepted, verdicts.distance)
            rest = waiting.take(rank >= at_once)
            met = np.isin(rest.left, now.left[verdicts.accepted])
            waiting, at_once = rest.take(~met & self._is_open(rest.left, rest.right)), min(2 * at_once, 16)

    def _count(self, left: Places, right: Places, accepted: NDArray[np.bool_]) -> None:
        np.add.at(self._settled, left[accepted], 1)
        for side in (left, right):
            np.add.at(self._failed, side[~accepted], 1)

    def _as_pairs(
        self, pairs: Proposals, accepted: NDArray[np.bool_], distance: NDArray[np.float32] | None
    ) -> pl.DataFrame:
        nothing = [None] * len(pairs)
        ids = self._distinct["sample_id"].to_numpy()
        frame = pl.DataFrame(
            {
                "sample_id": ids[pairs.left],
                "other_sample_id": ids[pairs.right],
                "look": [self._judge.look] * len(pairs),
                "similarity": pairs.similarity,
                "hash_distance": nothing if self._hashes is None else pairs.hash_distance,
                "look_distance": nothing if distance is None else distance,
                "accepted": accepted,
            }
        )
        return MATCH_PAIRS.conform(frame)


def _distinct(side: OneSet, found: Collapse) -> pl.DataFrame:
    """The rows that stand for the distinct pictures of a set."""
    columns = ("sample_id", "pixel_sha256", "phash", "thumbnail")
    return side.samples.select(pl.col(name).cast(SAMPLES.schema[name]) for name in columns)[found.first]


def _equal(here: pl.DataFrame, there: pl.DataFrame) -> NDArray[np.int64]:
    """(pictures here,): which picture there has equal pixels; −1: none, or no pixels are known."""
    numbered = there.select("pixel_sha256").with_row_index("place").drop_nulls()
    both = here.select("pixel_sha256").join(numbered, on="pixel_sha256", how="left", maintain_order="left")
    places: NDArray[np.int64] = both["place"].cast(pl.Int64).fill_null(-1).to_numpy()
    return places
