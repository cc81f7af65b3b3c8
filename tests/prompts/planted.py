"""A planted set: rows with captions, the groups they are in, and the tables made of them."""

from dataclasses import dataclass

import polars as pl

from scanner.tables import FAMILIES, GROUPS, MEMBERS


@dataclass(frozen=True, kw_only=True)
class Planted:
    """The three tables that prompts are made of."""

    samples: pl.DataFrame
    """`sample_id, shard, caption, url`; sample ids 0, 1, 2, ..."""
    members: pl.DataFrame
    """Rows of `scanner.tables.MEMBERS`."""
    groups: pl.DataFrame
    """Rows of `scanner.tables.GROUPS`, as far as the ranking reads them."""


def plant(groups: list[list[str | None]], singles: list[str | None], shards: list[str] | None = None) -> Planted:
    """Groups as lists of their rows' captions, then rows in no group; the last row of a group is its medoid."""
    captions = [caption for group in groups for caption in group] + singles
    ids = list(range(len(captions)))
    samples = pl.DataFrame(
        {
            "sample_id": pl.Series(ids, dtype=pl.Int64),
            "shard": pl.Series(shards or ["00000"] * len(ids), dtype=pl.String),
            "caption": pl.Series(captions, dtype=pl.String),
            "url": pl.Series([f"https://example.org/{row}" for row in ids], dtype=pl.String),
        }
    )
    members, facts, start = [], [], 0
    for group in groups:
        members += [(row, start, 1.0) for row in range(start, start + len(group))]
        facts.append({"group_id": start, "copies": len(group), "medoid": start + len(group) - 1})
        start += len(group)
    schema = {name: MEMBERS.schema[name] for name in MEMBERS.columns}
    return Planted(
        samples=samples, members=pl.DataFrame(members, schema=schema, orient="row"), groups=GROUPS.frame(facts)
    )


def family(planted: Planted, family_id: int, pictures: list[int]) -> pl.DataFrame:
    """Rows of `scanner.tables.FAMILIES`: pictures by the id of their group or, where they stand once, of their row."""
    copies = dict(planted.groups.select("group_id", "copies").iter_rows())
    return FAMILIES.frame(
        {
            "family_id": family_id,
            "sample_id": picture,
            "group_id": picture if picture in copies else None,
            "copies": copies.get(picture, 1),
            "centre": place == 0,
        }
        for place, picture in enumerate(pictures)
    )
