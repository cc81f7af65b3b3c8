"""What the page asks for, apart from how it asks: items one at a time, pictures, decisions, counts.

A queue is what a filter gave when it was set: its items stay in their places while they are decided.

>>> desk = Desk(run, Journal(run.path, "ada"), list_items(run, made), made)  # doctest: +SKIP
>>> desk.item(desk.queue("all", "unreviewed", None)["queue"], 0)             # doctest: +SKIP
"""

import secrets
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.review._pictures import PictureDesk
from scanner.opened import OpenedRun
from scanner.report import visible, web_link
from scanner.review import (
    DECISIONS,
    DISPUTED,
    GROUP,
    KINDS,
    UNREVIEWED,
    WITHDRAWN,
    Journal,
    MadeImages,
    Review,
    outcomes,
    show_group,
    show_pair,
    summarise_reviews,
)
from scanner.run import Run
from scanner.tables import VERIFIED

EVERYTHING = "all"
STATES = (EVERYTHING, UNREVIEWED, *DECISIONS, DISPUTED)
QUEUES = 32
"""Filters that are remembered; an older one is asked for again by the page."""
LONGEST_TEXT = 5_000
"""Characters of a caption that are sent."""


class UnknownError(LookupError):
    """The page asked for something that is not here; the message says what."""


class Desk:
    """A run under review by one reviewer; several threads may ask."""

    def __init__(self, run: Run, journal: Journal, items: pl.DataFrame, made: MadeImages) -> None:
        self.run, self.items, self.journal, self._made = OpenedRun(run), items, journal, made
        self.pictures = PictureDesk(run, made)
        self._kinds = dict(items.select("item", "kind").iter_rows())
        self._at = {item: n for n, item in enumerate(items["item"])}
        self._queues: OrderedDict[str, NDArray[np.int64]] = OrderedDict()
        self._lock = Lock()

    def state(self) -> dict[str, Any]:
        """Who reviews what, how many items there are of each kind, and how many of them this reviewer has decided."""
        verdicts = self.items.filter(pl.col("verdict").is_in(VERIFIED))["verdict"].value_counts()
        of_kind = self.items["kind"].value_counts()
        return {
            "run": self.run.path.resolve().name,
            "dataset": visible(str(self.run.config.get("dataset", ""))),
            "reviewer": self.journal.reviewer,
            "items": self.items.height,
            "kinds": {kind: n for kind in KINDS for name, n in of_kind.iter_rows() if name == kind},
            "verdicts": dict(sorted(verdicts.iter_rows())),
            "difference": self.pictures.compares,
            **self.counts(),
        }

    def counts(self) -> dict[str, Any]:
        """What this reviewer has decided so far, and of which items."""
        mine = [row for item, row in self.journal.mine().items() if item in self._at]
        by_kind = Counter(self._kinds[row["item"]] for row in mine)
        return {"decided": dict(Counter(row["decision"] for row in mine)), "decided_by_kind": dict(by_kind)}

    def review(self) -> Review:
        """All reviewers together."""
        self.journal.refresh()
        return summarise_reviews(self.items, self.journal.standing())

    def queue(self, show: str, state: str, include: str | None) -> dict[str, Any]:
        """The items of a filter: `show` is all, a kind or a verdict, `state` one of STATES for this reviewer.

        `include` is an item that is to be in the queue whatever its state, if it is shown at all; `at` is its place, or
        0. Raises UnknownError when there is no such filter.
        """
        if state not in STATES or show not in (EVERYTHING, *KINDS, *VERIFIED):
            raise UnknownError("There is no such filter.")
        self.journal.refresh()
        shown = pl.lit(True) if show == EVERYTHING else (pl.col("kind") == show) | (pl.col("verdict") == show)
        wanted = self._in_state(state)
        if include is not None and state != EVERYTHING:
            wanted = wanted | (pl.col("item") == include)
        rows = self.items.with_row_index("at").filter(shown & wanted)
        places, name = rows["at"].cast(pl.Int64).to_numpy(), secrets.token_hex(6)
        with self._lock:
            self._queues[name] = places
            while len(self._queues) > QUEUES:
                self._queues.popitem(last=False)
        found = np.flatnonzero(places == self._at.get(include or "", -1))
        return {"queue": name, "length": len(places), "at": int(found[0]) if len(found) else 0}

    def _in_state(self, state: str) -> pl.Expr:
        if state == EVERYTHING:
            return pl.lit(True)
        mine = self.journal.mine()
        if state == UNREVIEWED:
            return ~pl.col("item").is_in(list(mine))
        if state == DISPUTED:  # only of what this reviewer has decided: before that, others' answers stay hidden
            together = outcomes(self.journal.standing())
            return pl.col("item").is_in([item for item in mine if together.get(item) == DISPUTED])
        return pl.col("item").is_in([item for item, row in mine.items() if row["decision"] == state])

    def item(self, queue: str, place: int) -> dict[str, Any]:
        """One item of a queue with all that is shown of it. Raises UnknownError when there is none."""
        places = self._queues.get(queue)
        if places is None or not 0 <= place < len(places):
            raise UnknownError("The queue has ended or is forgotten; load the page again.")
        row = self.items.row(int(places[place]), named=True)
        self.journal.refresh()
        shown: dict[str, Any] = {"n": place, **row, "caption": _text(row["caption"]), **self._said(row["item"])}
        if row["kind"] == GROUP:
            group = show_group(self.run, row["group_id"])
            captions = [(_text(caption), rows) for caption, rows in group.captions]
            return shown | {
                "group": asdict(group) | {"members": [_sample(one) for one in group.members], "captions": captions}
            }
        pair = show_pair(self.run, row, self._made)
        return shown | {"pair": asdict(pair) | {"original": None if pair.original is None else _sample(pair.original)}}

    def decide(self, item: str, decision: str, note: str | None) -> dict[str, Any]:
        """Write a decision down; it is kept once this returns. Raises UnknownError when there is no such item, and
        ValueError when there is no such decision."""
        if item not in self._at:
            raise UnknownError("There is no such item in this run.")
        if decision not in (*DECISIONS, WITHDRAWN):
            raise ValueError("No such decision.")
        row = self.items.row(self._at[item], named=True)
        pair = row["kind"] != GROUP
        self.journal.add(
            {
                "item": item,
                "kind": "pair" if pair else "group",
                "decision": decision,
                "note": note,
                "prompt_id": row["prompt_id"],
                "sample_id": row["sample_id"] if pair else None,
                "group_id": row["group_id"],
            }
        )
        return self._said(item) | self.counts()

    def picture(self, item: str, name: str, number: int | None, mirrored: bool) -> Any:
        """A picture of an item, see `PictureDesk`. Raises UnknownError when there is none."""
        if item not in self._at:
            raise UnknownError("There is no such item in this run.")
        return self.pictures(self.items.row(self._at[item], named=True), name, number, mirrored=mirrored)

    def _said(self, item: str) -> dict[str, Any]:
        """This reviewer's decision and, once there is one, those of others: before that only how many there are."""
        said = dict(self.journal.of(item))
        mine = said.pop(self.journal.reviewer, None)
        others = [_decision(row) for _, row in sorted(said.items())] if mine else []
        return {"mine": None if mine is None else _decision(mine), "others": others, "others_count": len(said)}


def _decision(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reviewer": row["reviewer"],
        "decision": row["decision"],
        "note": row["note"],
        "decided_at": row["decided_at"].isoformat(timespec="seconds"),
    }


def _text(text: str | None) -> str | None:
    return None if text is None else visible(text[:LONGEST_TEXT])


def _sample(sample: Any) -> dict[str, Any]:
    texts = {name: _text(getattr(sample, name)) for name in ("shard", "key", "url", "caption")}
    return asdict(sample) | texts | {"link": web_link(sample.url)}
