"""The search for near-duplicates over a whole set, part by part.

Exact copies are collapsed, embeddings whitened, and pairs of distinct pictures proposed by cosine or hash (`_propose`).
Of the pairs that are proposed, the most similar first, only those are looked at whose ends are not yet connected: looks
grow with n, not n², and a cluster of any size is found whole. Pairs that fail are counted, and when both ends of a pair
have failed `looks_per_row` times no more is spent on it: that bounds what look-alike families cost. Memory grows with
the rows, never with the pairs. What the thumbnails refuse may be looked at closely (`unsettled`, `look_closely`).

Where no row was decoded (a data set of embeddings) there is nothing to look at: the cosine of the embeddings
as they are decides (see `_judge`), and nothing is whitened.

The pairs of a part are given back for the caller to write; a part found written is restored instead of searched, and
the result is the same. Rows that were added to a set that was searched before are searched in parts of their own
(`_additions`). What was set on the rows of the first search stays set: the whitening and the threshold.

    >>> from scanner.tables import PAIRS
    >>> search = DuplicateSearch(samples, embeddings, DuplicatesConfig())          # doctest: +SKIP
    >>> for part in search.parts:                                                  # doctest: +SKIP
    ...     PAIRS.write(run, search.search(part), part)
    >>> found = search.groups()                                                    # doctest: +SKIP
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._additions import Addition, additions_of, prefix_of
from scanner.duplicates._close import CLOSE_COLUMNS, look_closely
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._copies import CopyCosines, looked_at
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._groups import Groups, group_tables
from scanner.duplicates._judge import BySimilarity, ByThumbnail, FeaturesOf, Judge, Verdicts
from scanner.duplicates._known import Known
from scanner.duplicates._look import thumbnail_planes
from scanner.duplicates._propose import Proposals, Proposer, joined
from scanner.duplicates._recall import Recall, measure_recall
from scanner.duplicates._settle import look_at_all, settle, still_open
from scanner.duplicates._split import split_groups
from scanner.duplicates._summary import SearchSummary
from scanner.duplicates._threshold import choose_threshold, deciding_threshold
from scanner.duplicates._whiten import whiten
from scanner.duplicates.neighbours import Stored, UnitRows
from scanner.errors import UnusableInputError
from scanner.tables import PAIRS

_THUMBNAIL_BYTES = 32 * 32 * 3
_HELD = 1_000_000
"""Proposals held before they are looked at: 13 MB."""


def thumbnails_of(samples: pl.DataFrame) -> NDArray[np.uint8]:
    """(n, 3, 32, 32) thumbnails of the rows of `samples`."""
    sizes = samples["thumbnail"].bin.size()
    if sizes.null_count() or not (sizes == _THUMBNAIL_BYTES).all():
        raise UnusableInputError("Some samples have no 32 × 32 thumbnail to look at; read the data set again.")
    stored = np.frombuffer(b"".join(samples["thumbnail"].to_list()), np.uint8)
    return thumbnail_planes(stored.reshape(-1, _THUMBNAIL_BYTES))


class DuplicateSearch:
    """An open index over a set: made once, then searched (or restored) part by part, in order."""

    def __init__(
        self,
        samples: pl.DataFrame,
        embeddings: Stored,
        config: DuplicatesConfig,
        *,
        begins: Sequence[int] = (),
        stored: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Open the index over the samples table and its embeddings.

        `samples` is sorted by sample_id and has `sample_id, pixel_sha256, phash, thumbnail, caption`; `embeddings`
        (rows, d) are float16 or float32, row i belonging to row i (also memory-mapped).
        `begins` are the rows with which an addition to the first rows begins, ascending. Parts that are `stored` will
        be restored: no index is opened for them alone. Raises UnusableInputError when samples and embeddings do not
        fit together, when embeddings hold NaN, or when some rows have thumbnails and others have none.
        """
        if len(samples) != embeddings.shape[0]:
            raise UnusableInputError(
                f"{len(samples):,} samples have {embeddings.shape[0]:,} embeddings; compute the embeddings again."
            )
        self._config = config
        self._collapse: Collapse = collapse(samples, embeddings)
        self._samples = samples.select("sample_id", "caption")
        first = int(np.searchsorted(self._collapse.first, begins[0])) if begins else None
        distinct = samples.select("sample_id", "pixel_sha256", "phash", "thumbnail")[self._collapse.first]
        self._ids: NDArray[np.int64] = distinct["sample_id"].to_numpy()
        self._open_rows(distinct, embeddings, first)
        self._neighbours = config.neighbours(decides=self._pictures is None)
        self._known = Known(len(self._ids), looks_per_row=config.looks_per_row)
        self._done = self._looked = self._looked_closely = self._looked_by_copy_model = 0
        self.additions = additions_of(self._collapse.first, begins, self._neighbours, hashed=self._hashes is not None)
        """The first rows, and what was added to them, each with its parts."""
        self._of_part: dict[str, Addition] = {part: one for one in self.additions for part in one.parts}
        self._searched_last = {
            one.number: max((place for place, part in enumerate(one.parts) if not stored(part)), default=-1)
            for one in self.additions
        }
        self._opened: tuple[int, Proposer] | None = None
        self.parts: tuple[str, ...] = tuple(self._of_part)
        """Names of all parts, in the order in which they must be searched."""

    def _open_rows(self, distinct: pl.DataFrame, embeddings: Stored, first: int | None) -> None:
        """What is compared and what decides, as the `first` distinct pictures (None: all) set it."""
        config = self._config
        self._hashes: NDArray[np.uint64] | None = None
        self._judge: Judge
        self._pictures: ByThumbnail | None = None
        if len(distinct) and distinct["pixel_sha256"].null_count() == len(distinct):
            self._rows = UnitRows.of(embeddings, self._collapse.first)
            self._embedding = "not whitened: the cosine decides, since there are no pictures"
            self._threshold = deciding_threshold(config)
            self._judge = BySimilarity(self._rows, self._threshold.least)
            return
        self._judge = self._pictures = ByThumbnail(thumbnails_of(distinct), config)
        self._hashes = distinct["phash"].to_numpy().astype(np.uint64)
        found = whiten(embeddings, self._collapse.first, config, fitted=first)
        self._threshold = choose_threshold(found.vectors[:first], self._hashes[:first], config, whitened=found.whitened)
        self._rows, self._embedding = UnitRows.of(found.vectors), found.note

    def search(self, part: str) -> pl.DataFrame:
        """Search one part: the pairs looked at, as rows of `scanner.tables.PAIRS`."""
        self._begin(part)
        found, waiting = [PAIRS.empty()], list[Proposals]()
        proposer = self._proposer_of(part)
        for proposals in proposer.propose(part, self._known.is_open, self._known.component):
            waiting.append(still_open(proposals, self._known))
            if self._pictures is None or sum(map(len, waiting)) >= _HELD:
                found.extend(self._settle(joined(waiting), part))
                waiting.clear()
        if waiting:
            found.extend(self._settle(joined(waiting), part))
        proposer.close(part, self._known.together)
        return PAIRS.conform(pl.concat(found))

    def restore(self, part: str, pairs: pl.DataFrame) -> None:
        """Take a part's pairs as `search` gave them in an earlier process, instead of searching it again."""
        self._begin(part)
        pairs = pairs.sort(PAIRS.key)
        self._known.record(*self._places(pairs), pairs["accepted"].to_numpy())
        self._looked += len(pairs)
        one = self._of_part[part]
        if one.parts.index(part) < self._searched_last[one.number]:  # the leaders decide what is searched after it
            self._proposer_of(part).close(part, self._known.together)

    def restore_closely(self, pairs: pl.DataFrame) -> None:
        """Take pairs as `look_closely` gave them in an earlier process, instead of looking again."""
        self._looked_closely += self._tie(pairs)

    def restore_by_copy_model(self, pairs: pl.DataFrame) -> None:
        """Take pairs as `look_by_copy_model` gave them in an earlier process, instead of looking again."""
        self._looked_by_copy_model += self._tie(pairs)

    def unsettled(self, parts: Iterable[pl.DataFrame], looks: int) -> pl.DataFrame:
        """Of the pairs of these parts, those to be looked at closely, as rows of `PAIRS`.

        The thumbnails did not accept them, their ends are still apart, and they are among the `looks` first of their
        left, or of their right side: those that the thumbnails are not sure of, then by similarity. So a picture has at
        most twice as many of its own.
        """
        first = PAIRS.empty()
        for part in parts:
            open_ = ~self._known.together(*self._places(part)) & ~part["accepted"].to_numpy()
            first = self._first(pl.concat([first, part.filter(pl.Series(open_, dtype=pl.Boolean))]), looks)
        return PAIRS.conform(first)

    def _first(self, pairs: pl.DataFrame, looks: int) -> pl.DataFrame:
        """Those of the `looks` first pairs with the same left side, or with the same right side."""
        ordered = pairs.sort(~self._maybe(), -pl.col("similarity"), "left", "right")
        among = [pl.int_range(pl.len()).over(side) < looks for side in PAIRS.key[:2]]
        return ordered.filter(among[0] | among[1])

    def _maybe(self) -> pl.Expr:
        """What the thumbnails would accept if there were no close look."""
        within = pl.col("look_distance") <= self._config.max_distance
        return (within & (pl.col("worst_block") <= self._config.max_worst_block)).fill_null(False)

    def look_closely(self, pairs: pl.DataFrame, features: FeaturesOf) -> pl.DataFrame:
        """The same pairs with what the geometry found; whose ends have met meanwhile are left out."""
        left, right = self._places(pairs)
        apart = ~self._known.together(left, right)
        rows = pairs.filter(pl.Series(apart, dtype=pl.Boolean))
        asked = zip(left[apart], right[apart], rows.select(self._maybe()).to_series(), strict=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(
                pool.map(lambda one: look_closely(features(one[0]), features(one[1]), otherwise=one[2]), asked)
            )
        rows = rows.drop(CLOSE_COLUMNS)
        closely = rows.hstack(pl.DataFrame(found, schema={name: PAIRS.schema[name] for name in CLOSE_COLUMNS}))
        self._looked_closely += self._tie(closely)
        return PAIRS.conform(closely)

    def look_by_copy_model(self, pairs: pl.DataFrame, cosines: CopyCosines) -> pl.DataFrame:
        """The same pairs with the copy model's cosine; whose ends have met meanwhile are left out.

        `shared` is to be as the geometry found it.
        """
        left, right = self._places(pairs)
        apart = ~self._known.together(left, right)
        rows = pairs.filter(pl.Series(apart, dtype=pl.Boolean))
        looked = looked_at(rows, cosines(left[apart], right[apart]), self._config.copy_cosine)
        self._looked_by_copy_model += self._tie(looked)
        return PAIRS.conform(looked)

    @property
    def ids(self) -> NDArray[np.int64]:
        """(n,): sample_id that stands for each distinct picture, ascending."""
        return self._ids

    @property
    def has_pictures(self) -> bool:
        """False where the cosine decides."""
        return self._pictures is not None

    def groups(self, features: FeaturesOf | None = None, cosines: CopyCosines | None = None) -> Groups:
        """The duplicate groups, once every part was searched or restored; chained ones are split."""
        assert self._done == len(self.parts), "every part is searched or restored before groups are made"
        if self._pictures is not None:
            self._pictures.features, self._pictures.copies = features, cosines
        parts = split_groups(self._known.parents, self._known.links(), self._judge, self._rows)
        return group_tables(self._samples, self._collapse, self._rows, parts)

    def recall(self) -> Recall:
        """What brute force finds for a sample of rows, and how much of it the search tied together."""
        return measure_recall(
            self._rows,
            self._hashes,
            self._judge,
            self._known.together,
            cosine=self._threshold.least,
            config=self._config,
        )

    def summary(self) -> SearchSummary:
        return SearchSummary(
            rows=len(self._samples),
            distinct=len(self._ids),
            added=tuple(one.count - one.known for one in self.additions[1:]),
            look=self._judge.look,
            embedding=self._embedding,
            threshold=self._threshold.note,
            cosine=self._threshold.cosine,
            looked=self._looked,
            looked_closely=self._looked_closely,
            looked_by_copy_model=self._looked_by_copy_model,
            accepted=len(self._known.links().left),
            over_budget=self._known.over_budget(),
        )

    def _proposer_of(self, part: str) -> Proposer:
        """The open index over all pictures up to those of the part's addition; one at a time."""
        one = self._of_part[part]
        if self._opened is None or self._opened[0] != one.number:
            self._opened = None  # its memory first
            proposer = Proposer(
                self._rows.leading(one.count),
                None if self._hashes is None else self._hashes[: one.count],
                cosine=self._threshold.least,
                bits=self._config.hash_distance,
                config=replace(self._neighbours, fresh=one.known),
                prefix=prefix_of(one.number),
            )
            assert proposer.parts == one.parts, "an index has the parts that were named before it was opened"
            self._opened = one.number, proposer
        return self._opened[1]

    def _begin(self, part: str) -> None:
        """Parts are taken in order, since what is connected already is not looked at."""
        assert part in self.parts[self._done : self._done + 1], "parts are searched in order, each once"
        self._done += 1

    def _places(self, pairs: pl.DataFrame) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Positions of the ends of pairs."""
        left, right = (np.searchsorted(self._ids, pairs[side].to_numpy()).astype(np.uint32) for side in PAIRS.key[:2])
        return left, right

    def _settle(self, proposals: Proposals, part: str) -> Iterator[pl.DataFrame]:
        at_once = "leaders" in part or self._pictures is None
        for seen, verdicts in (look_at_all if at_once else settle)(proposals, self._judge, self._known):
            self._looked += len(seen)
            yield self._as_pairs(seen, verdicts)

    def _tie(self, pairs: pl.DataFrame) -> int:
        """Connect the accepted ones; gives how many pairs they are in all."""
        self._known.tie(*self._places(pairs.filter("accepted")))
        return len(pairs)

    def _as_pairs(self, proposals: Proposals, verdicts: Verdicts) -> pl.DataFrame:
        nothing = [None] * len(proposals)
        return PAIRS.conform(
            pl.DataFrame(
                {
                    "left": self._ids[proposals.left],
                    "right": self._ids[proposals.right],
                    "similarity": proposals.similarity,
                    "hash_distance": nothing if self._hashes is None else proposals.hash_distance,
                    "look": [self._judge.look] * len(proposals),
                    "look_distance": nothing if verdicts.distance is None else verdicts.distance,
                    "accepted": verdicts.accepted,
                    "worst_block": nothing if verdicts.worst_block is None else verdicts.worst_block,
                    "inliers": nothing,
                    "coverage": nothing,
                    "shared": nothing,
                    "copy_similarity": nothing,
                }
            )
        )
