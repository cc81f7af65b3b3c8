"""The groups that a comparison lists, with their captions: of each state those of most copies.

>>> list_groups(a, b, match_groups(a, b, "pixels"))[0].state                 # doctest: +SKIP
'gone'
"""

from collections.abc import Mapping, Sequence

import polars as pl

from scanner.compare._groups import Matched
from scanner.compare._records import GroupChange, GroupRef
from scanner.run import Run
from scanner.tables import GROUPS

LISTED = 60
"""Groups listed of each state."""
SHOWN_PARTS = 6
"""Groups shown of one that was split or merged."""
OWNERS = {"changed": "before", "split": "before", "merged": "after", "regrouped": "before"}
"""By state, the side whose groups are listed."""


def list_groups(before: Run, after: Run, matched: Matched) -> tuple[GroupChange, ...]:
    """gone, changed, split, merged, regrouped, new; each by copies."""
    linked = {state: _most(matched.links, state, owner) for state, owner in OWNERS.items()}
    gone, new = (
        part.sort("copies", "group_id", descending=[True, False]).head(LISTED) for part in (matched.gone, matched.new)
    )
    shown = pl.concat(list(linked.values()))
    old = _refs(before, [*gone["group_id"], *shown["before"]])
    young = _refs(after, [*new["group_id"], *shown["after"]])
    return (
        *(_alone("gone", row, (old[row["group_id"]],), ()) for row in gone.iter_rows(named=True)),
        *(one for state, part in linked.items() for one in _linked(part, OWNERS[state], old, young)),
        *(_alone("new", row, (), (young[row["group_id"]],)) for row in new.iter_rows(named=True)),
    )


def _most(links: pl.DataFrame, state: str, owner: str) -> pl.DataFrame:
    """The links of the listed groups of a state: those with most copies on one side or the other, or whose copies
    differ most where one belongs to one."""
    size = pl.max_horizontal("copies_before", "copies_after")
    weight = (pl.col("copies_before") - pl.col("copies_after")).abs() if state == "changed" else size
    part = links.filter(pl.col("state") == state)
    most = part.group_by(owner).agg(weight=weight.max()).sort("weight", owner, descending=[True, False]).head(LISTED)
    return part.join(most, on=owner).sort(
        "weight", owner, size, "before", "after", descending=[True, False, True, False, False]
    )


def _linked(
    links: pl.DataFrame, owner: str, old: Mapping[int, GroupRef], young: Mapping[int, GroupRef]
) -> Sequence[GroupChange]:
    changes = []
    for _, part in links.group_by(owner, maintain_order=True):
        before = [old[group] for group in part["before"].unique(maintain_order=True)]
        after = [young[group] for group in part["after"].unique(maintain_order=True)]
        copies = sum(group.copies for group in after)
        changes.append(_change(part["state"][0], before, after, copies))
    return changes


def _alone(state: str, row: Mapping[str, int], before: Sequence[GroupRef], after: Sequence[GroupRef]) -> GroupChange:
    return _change(state, before, after, row["rows_elsewhere"])


def _change(state: str, before: Sequence[GroupRef], after: Sequence[GroupRef], rows_left: int) -> GroupChange:
    return GroupChange(
        state=state,
        before=tuple(before[:SHOWN_PARTS]),
        after=tuple(after[:SHOWN_PARTS]),
        groups_before=len(before),
        groups_after=len(after),
        copies_before=sum(group.copies for group in before),
        copies_after=sum(group.copies for group in after),
        rows_left=rows_left,
    )


def _refs(run: Run, group_ids: Sequence[int]) -> dict[int, GroupRef]:
    columns = ("group_id", "copies", "top_caption", "top_caption_share", "medoid")
    wanted = pl.LazyFrame({"group_id": sorted(set(group_ids))}, schema={"group_id": pl.Int64})
    rows = GROUPS.scan(run.path).select(columns).join(wanted, on="group_id", how="semi").collect()
    rows = rows.with_columns(pl.col("top_caption_share").fill_nan(None))
    return {row["group_id"]: GroupRef(**row) for row in rows.iter_rows(named=True)}
