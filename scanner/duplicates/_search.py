"""The search for near-duplicates over a whole set, one block of rows at a time.

Exact copies are collapsed, embeddings whitened, and each block of distinct pictures is compared with all later ones.
Of the pairs that are proposed, the most similar first, only those are looked at whose ends are not yet connected: looks
grow with n, not n², and a cluster of any size is found whole. Pairs that fail are counted, and when both ends of a pair
have failed `looks_per_row` times no more is spent on it: that bounds what look-alike families cost. Memory grows with
the rows, never with the pairs.

Where no row was decoded (a data set of embeddings) there is nothing to look at: the cosine of the embeddings
as they are decides (see `_judge`), and nothing is whitened.

The pairs of a block are given back for the caller to write; a block found written is restored instead of searched, and
the result is the same.

    >>> from scanner.tables import PAIRS
    >>> search = DuplicateSearch(samples, embeddings, DuplicatesConfig())          # doctest: +SKIP
    >>> for part in search.parts:                                                  # doctest: +SKIP
    ...     PAIRS.write(run, search.search(part), part)
    >>> found = search.groups()                                                    # doctest: +SKIP
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._components import new_forest, roots, unite
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._groups import Groups, group_tables
from scanner.duplicates._judge import BySimilarity, ByThumbnail, Judge, Verdicts
from scanner.duplicates._look import thumbnail_planes
from scanner.duplicates._propose import Proposals, joined, propose
from scanner.duplicates._split import Linked, split_groups
from scanner.duplicates._threshold import choose_threshold, deciding_threshold
from scanner.duplicates._whiten import as_they_are, whiten
from scanner.errors import UnusableInputError
from scanner.tables import PAIRS

_THUMBNAIL_BYTES = 32 * 32 * 3
_HELD = 1_000_000
"""Proposals held before they are looked at: 13 MB."""
_MOST_AT_ONCE = 16
"""Candidates of a row looked at in one round, after 1, 2, 4 and 8: a copy's best one mostly settles it."""


@dataclass(frozen=True, kw_only=True)
class SearchSummary:
    """How the search was set and what it did, for the manifest."""

    rows: int
    """Rows searched."""
    distinct: int
    """Distinct pictures among them; distinct embeddings where there are no pictures."""
    look: str
    """What decides on a pair: thumbnail, or similarity where there are no pictures."""
    embedding: str
    """How the embeddings were whitened."""
    threshold: str
    """The cosine that proposes (or decides), and why it is that."""
    cosine: float
    """The same as a number."""
    looked: int
    """Pairs looked at, restored ones included."""
    accepted: int
    """Pairs found to show one picture."""
    over_budget: int
    """Distinct pictures with `looks_per_row` failed looks or more: look-alikes in masses."""


def _thumbnails(samples: pl.DataFrame) -> NDArray[np.uint8]:
    """(n, 3, 32, 32) thumbnails of the rows of `samples`."""
    sizes = samples["thumbnail"].bin.size()
    if sizes.null_count() or not (sizes == _THUMBNAIL_BYTES).all():
        raise UnusableInputError("Some samples have no 32 × 32 thumbnail to look at; read the data set again.")
    stored = np.frombuffer(b"".join(samples["thumbnail"].to_list()), np.uint8)
    return thumbnail_planes(stored.reshape(-1, _THUMBNAIL_BYTES))


class DuplicateSearch:
    """An open index over a set: made once, then searched (or restored) part by part, in order."""

    def __init__(self, samples: pl.DataFrame, embeddings: NDArray[np.floating], config: DuplicatesConfig) -> None:
        """Open the index over the samples table and its embeddings.

        `samples` is sorted by sample_id and has `sample_id, pixel_sha256, phash, thumbnail, caption`; `embeddings`
        (rows, d) are float16 or float32, row i belonging to row i (also memory-mapped). Raises UnusableInputError when
        they do not fit together, when embeddings hold NaN, or when some rows have thumbnails and others have none.
        """
        if len(samples) != len(embeddings):
            raise UnusableInputError(
                f"{len(samples):,} samples have {len(embeddings):,} embeddings; compute the embeddings again."
            )
        self._config = config
        self._collapse: Collapse = collapse(samples, embeddings)
        self._rows = samples.select("sample_id", "caption")
        distinct = samples.select("sample_id", "pixel_sha256", "phash", "thumbnail")[self._collapse.first]
        self._ids: NDArray[np.int64] = distinct["sample_id"].to_numpy()
        self._hashes: NDArray[np.uint64] | None = None
        self._judge: Judge
        if len(distinct) and distinct["pixel_sha256"].null_count() == len(distinct):
            found = as_they_are(embeddings, self._collapse.first, "the cosine decides, since there are no pictures")
            self._threshold = deciding_threshold(config)
            self._judge = BySimilarity(found.vectors, self._threshold.cosine)
        else:
            self._judge = ByThumbnail(_thumbnails(distinct), config)
            self._hashes = distinct["phash"].to_numpy().astype(np.uint64)
            found = whiten(embeddings, self._collapse.first, config)
            self._threshold = choose_threshold(found.vectors, self._hashes, config, whitened=found.whitened)
        self._vectors, self._embedding = found.vectors, found.note
        self._parents = new_forest(len(self._ids))
        self._failed = np.zeros(len(self._ids), np.uint32)
        self._linked: list[Linked] = []
        self._done = self._looked = 0
        blocks = -(-len(self._ids) // config.block_rows)
        self.parts: tuple[str, ...] = tuple(f"{block:05d}" for block in range(blocks))
        """Names of the parts, in the order in which they must be searched."""

    def search(self, part: str) -> pl.DataFrame:
        """Search one part: the pairs looked at, as rows of `scanner.tables.PAIRS`."""
        start = self._begin(part) * self._config.block_rows
        rows = range(start, min(start + self._config.block_rows, len(self._ids)))
        found, waiting = [PAIRS.empty()], list[Proposals]()
        cosine, bits = self._threshold.cosine, self._config.hash_distance
        for proposals in propose(self._vectors, self._hashes, rows, cosine=cosine, bits=bits):
            waiting.append(self._open(proposals))
            if sum(map(len, waiting)) >= _HELD:
                found.append(self._settle(joined(waiting)))
                waiting.clear()
        if waiting:
            found.append(self._settle(joined(waiting)))
        return PAIRS.conform(pl.concat(found))

    def restore(self, part: str, pairs: pl.DataFrame) -> None:
        """Take a part's pairs as `search` gave them in an earlier process, instead of searching it again."""
        self._begin(part)
        pairs = pairs.sort(PAIRS.key)
        left, right = (np.searchsorted(self._ids, pairs[side].to_numpy()).astype(np.uint32) for side in PAIRS.key)
        self._record(left, right, pairs["accepted"].to_numpy())

    def groups(self) -> Groups:
        """The duplicate groups, once every part was searched or restored; chained ones are split."""
        assert self._done == len(self.parts), "every part is searched or restored before groups are made"
        links = Linked.joined(self._linked)
        parts = split_groups(self._parents, links, self._judge, self._vectors)
        return group_tables(self._rows, self._collapse, self._vectors, parts)

    def summary(self) -> SearchSummary:
        return SearchSummary(
            rows=len(self._rows),
            distinct=len(self._ids),
            look=self._judge.look,
            embedding=self._embedding,
            threshold=self._threshold.note,
            cosine=self._threshold.cosine,
            looked=self._looked,
            accepted=sum(len(linked.left) for linked in self._linked),
            over_budget=int((self._failed >= self._config.looks_per_row).sum()),
        )

    def _begin(self, part: str) -> int:
        """The block's number; parts are taken in order, since what is connected already is not looked at."""
        assert part in self.parts[self._done : self._done + 1], "parts are searched in order, each once"
        self._done += 1
        return self._done - 1

    def _open(self, proposals: Proposals) -> Proposals:
        """Those whose ends are neither connected nor both out of looks."""
        apart = roots(self._parents, proposals.left) != roots(self._parents, proposals.right)
        failed = np.minimum(self._failed[proposals.left], self._failed[proposals.right])
        return proposals.take(apart & (failed < self._config.looks_per_row))

    def _settle(self, proposals: Proposals) -> pl.DataFrame:
        """Look at proposals, most similar first, until each is connected, failed or out of budget."""
        order = np.lexsort((proposals.right, proposals.left, -proposals.similarity))
        waiting, found, at_once = self._open(proposals.take(order)), [PAIRS.empty()], 1
        while len(waiting):
            now = self._next(waiting, at_once)
            chosen = waiting.take(now)
            verdicts = self._judge(chosen)
            self._record(chosen.left, chosen.right, verdicts.accepted)
            found.append(self._as_pairs(chosen, verdicts))
            waiting, at_once = self._open(waiting.take(~now)), 2 * at_once
        return pl.concat(found)

    def _next(self, waiting: Proposals, at_once: int) -> NDArray[np.bool_]:
        """Which of the pairs, best first, to look at now: few for each two components, since one may join them."""
        ends = np.sort(np.stack([roots(self._parents, waiting.left), roots(self._parents, waiting.right)]), axis=0)
        ends = ends.astype(np.uint64)
        first = np.flatnonzero(_among_first(ends[0] << np.uint64(32) | ends[1], at_once))
        now = np.zeros(len(waiting), bool)
        now[first[_among_first(waiting.left[first], min(at_once, _MOST_AT_ONCE))]] = True
        return now

    def _record(self, left: NDArray[np.uint32], right: NDArray[np.uint32], accepted: NDArray[np.bool_]) -> None:
        unite(self._parents, left[accepted], right[accepted])
        self._linked.append(Linked(left=left[accepted], right=right[accepted]))
        for side in (left, right):
            self._failed += np.bincount(side[~accepted], minlength=len(self._failed)).astype(np.uint32)
        self._looked += len(left)

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
                }
            )
        )


def _among_first(keys: NDArray[np.unsignedinteger], count: int) -> NDArray[np.bool_]:
    """Which entries are among the first `count` of their key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    among = np.empty(len(keys), bool)
    among[order] = np.arange(len(keys)) - np.searchsorted(ordered, ordered, side="left") < count
    return among
