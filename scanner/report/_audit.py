"""What the audit found, from its tables: rows, duplicate groups, and the ledger of errors.

Tables may hold millions of rows, so they are counted where they lie and only the rows that are listed are
read.

    >>> count_rows(Run.open(Path("RUN"))).rows_in                                # doctest: +SKIP
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from scanner.prompts import BUCKETS, bucket_label, list_checksum
from scanner.report._findings import Check, Duplicates, Rows
from scanner.report._records import CopiesBucket, ErrorCount, ErrorRow, Group, SampleRef
from scanner.report._signals import Said
from scanner.run import Run
from scanner.samples import OWN_MODEL
from scanner.tables import ERRORS, GROUPS, MEMBERS, PROMPTS, SAMPLES, TABLES

LISTED_GROUPS = 200
LISTED_ERRORS = 500
SHOWN_MEMBERS = 5
"""Members of a group that are shown beside its medoid."""


def clean(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with None for NaN and infinity, which JSON has no way to write."""
    return {name: None if isinstance(x, float) and not math.isfinite(x) else x for name, x in row.items()}


def count_rows(run: Run) -> Rows:
    """Rows in = samples + ledger entries that have a key."""
    read, bare = (
        SAMPLES.scan(run.path).select(pl.len().alias("read"), pl.col("caption").is_null().sum()).collect().row(0)
    )
    keyed, chosen = pl.col("key") != "", pl.col("stage") == "select"
    counts = ERRORS.scan(run.path).select(
        set_aside=(keyed & chosen).sum(), failed=(keyed & ~chosen).sum(), remarks=(~keyed).sum()
    )
    set_aside, failed, remarks = (int(value or 0) for value in counts.collect().row(0))
    return Rows(
        rows_in=read + set_aside + failed,
        read=read,
        set_aside=set_aside,
        failed=failed,
        remarks=remarks,
        without_caption=bare or 0,
    )


def count_duplicates(run: Run, read: int) -> Duplicates:
    """The groups as a whole and by copies; `read` is the number of rows read."""
    frame = GROUPS.scan(run.path).select("copies", "distinct_captions", "top_caption", "split_from").collect()
    copies = frame["copies"]
    rows = int(copies.sum())
    buckets = [
        CopiesBucket(label=bucket_label(low, high), groups=len(part), rows=int(part.sum()))
        for low, high in BUCKETS
        for part in [copies.filter((copies >= low) & (copies <= (high or copies.max() or low)))]
    ]
    one_caption = (pl.col("distinct_captions") == 1) & pl.col("top_caption").is_not_null()
    return Duplicates(
        groups=len(copies),
        rows=rows,
        share=rows / read if read else None,
        redundant=rows - len(copies),
        largest=max(copies, default=0),
        same_caption=frame.filter(one_caption).height,
        split=len(copies) - frame["split_from"].null_count(),
        buckets=tuple(buckets),
        pictures=run.config.get("model") != OWN_MODEL,
        cosine=run.manifest().get("parts", {}).get("audit", {}).get("cosine"),
    )


def sample_refs(run: Run, sample_ids: Iterable[int]) -> dict[int, SampleRef]:
    """The names of the wanted samples; ids without a row are left out."""
    columns = ("sample_id", "shard", "key", "url", "width", "height", "caption", "pixel_sha256", "file_sha256")
    wanted = sorted(set(sample_ids))
    frame = SAMPLES.scan(run.path).filter(pl.col("sample_id").is_in(wanted)).select(columns).collect()
    return {row["sample_id"]: SampleRef(**row) for row in frame.iter_rows(named=True)}


def list_groups(run: Run, hits_of: Mapping[int, Sequence[str]]) -> tuple[Group, ...]:
    """The groups behind hits, then those with most copies, at most LISTED_GROUPS; sorted by copies.

    `hits_of` gives, by group, the prompts that give its picture back.
    """
    behind = pl.col("group_id").is_in(list(hits_of))
    frame = (
        GROUPS.scan(run.path)
        .sort(behind, pl.col("copies"), pl.col("group_id"), descending=[True, True, False])
        .head(LISTED_GROUPS)
        .sort("copies", "group_id", descending=[True, False])
        .collect()
    )
    members = _shown_members(run, frame)
    refs = sample_refs(run, frame["medoid"].drop_nulls())
    said = Said(run, groups=frame["group_id"], samples=())
    return tuple(
        Group(
            **{name: row[name] for name in _GROUP_COLUMNS},
            medoid=refs.get(row["medoid"]),
            members=tuple(members.get(row["group_id"], ())),
            hits=tuple(hits_of.get(row["group_id"], ())),
            signals=said.of_group(row["group_id"]),
            review=None,
        )
        for row in (_NOT_COMPARED | clean(row) for row in frame.iter_rows(named=True))
    )


_GROUP_COLUMNS = (
    *("group_id", "copies", "distinct_images", "distinct_captions", "top_caption", "top_caption_share"),
    *("caption_entropy", "near_captions", "near_top_share", "min_similarity", "median_similarity", "split_from"),
)


_NOT_COMPARED = {"near_captions": None, "near_top_share": None}
"""Of groups that were written before captions were compared."""


def _shown_members(run: Run, groups: pl.DataFrame) -> dict[int, list[int]]:
    """By group, the pictures that differ from the medoid, least alike first: a wrong member shows."""
    members = MEMBERS.scan(run.path).filter(pl.col("group_id").is_in(groups["group_id"].implode()))
    pixels = SAMPLES.scan(run.path).select("sample_id", "pixel_sha256").filter(pl.col("pixel_sha256").is_not_null())
    known = members.join(pixels, on="sample_id").collect()
    medoids = groups.select("group_id", "medoid").join(
        known.select("sample_id", "pixel_sha256"), left_on="medoid", right_on="sample_id"
    )
    shown = (
        known.join(medoids, on=["group_id", "pixel_sha256"], how="anti")
        .sort("group_id", "similarity_to_medoid", "sample_id", nulls_last=True)
        .unique(["group_id", "pixel_sha256"], keep="first", maintain_order=True)
        .group_by("group_id", maintain_order=True)
        .agg(pl.col("sample_id").head(SHOWN_MEMBERS))
    )
    return dict(shown.iter_rows())


def count_errors(run: Run) -> tuple[ErrorCount, ...]:
    """The ledger by stage and reason, most frequent first."""
    counts = ERRORS.scan(run.path).group_by("stage", "reason").agg(pl.len().alias("rows")).collect()
    counts = counts.sort("rows", "stage", "reason", descending=[True, False, False])
    return tuple(ErrorCount(**row) for row in counts.iter_rows(named=True))


def list_errors(run: Run) -> tuple[ErrorRow, ...]:
    """The first ledger entries, by shard and key."""
    frame = ERRORS.scan(run.path).sort(ERRORS.key).head(LISTED_ERRORS).collect()
    return tuple(ErrorRow(**row) for row in frame.select(ERRORS.key).iter_rows(named=True))


def check_tables(run: Run, rows: Rows, duplicates: Duplicates) -> tuple[Check, ...]:
    """What must hold between the tables, tested."""
    return (_check_rows(run, rows), _check_members(run, duplicates), _check_manifest(run), *_check_prompts(run))


def _check_rows(run: Run, rows: Rows) -> Check:
    names = ("shard", "key")
    # a second row under a key is lost, and the first one is not
    ledger = ERRORS.scan(run.path).filter(pl.col("key") != "", pl.col("reason") != "duplicate_key").select(names)
    twice = SAMPLES.scan(run.path).select(names).join(ledger, on=names, how="semi").select(pl.len()).collect().item()
    counted = declared_rows(run)
    claim = (
        "the run states no count of its own to compare with"
        if counted is None
        else f"the scan itself counted {counted:,} rows in"
    )
    return Check(
        name="rows_in",
        passed=not twice and counted in (None, rows.rows_in),
        sentence=f"{sum_of_rows(rows)} rows in; {twice:,} rows stand in both tables; {claim}.",
    )


def sum_of_rows(rows: Rows) -> str:
    """`80 rows read + 15 set aside + 5 failed = 100`."""
    aside = f" + {rows.set_aside:,} set aside" if rows.set_aside else ""
    return f"{rows.read:,} rows read{aside} + {rows.failed:,} failed = {rows.rows_in:,}"


def declared_rows(run: Run) -> int | None:
    """The `rows_in` that a part of the run wrote into the manifest, if one did."""
    parts = run.manifest().get("parts", {}).values()
    return next((int(part["rows_in"]) for part in parts if "rows_in" in part), None)


def _check_members(run: Run, duplicates: Duplicates) -> Check:
    members = MEMBERS.scan(run.path).select(pl.len()).collect().item()
    return Check(
        name="members",
        passed=members == duplicates.rows,
        sentence=f"{members:,} rows in members.parquet; the groups' copies add up to {duplicates.rows:,}.",
    )


def _check_prompts(run: Run) -> tuple[Check, ...]:
    attack = run.part_config("attack")
    if attack is None or not {"prompt_list", "prompts", "control"} <= attack.keys():
        return ()
    same = list_checksum(run.read(PROMPTS), risk=attack["prompts"], control=attack["control"]) == attack["prompt_list"]
    sentence = (
        "The attacked prompts are those of the list." if same else "The list has other prompts than were attacked."
    )
    return (Check(name="prompt_list", passed=same, sentence=sentence),)


def _check_manifest(run: Run) -> Check:
    stated = {name: rows for name, rows in run.manifest().get("tables", {}).items() if name in TABLES}
    actual = {name: TABLES[name].scan(run.path).select(pl.len()).collect().item() for name in stated}
    differing = [
        f"{name} has {actual[name]:,}, not {stated[name]:,}" for name in stated if actual[name] != stated[name]
    ]
    sentence = f"{len(stated)} tables have the rows that the manifest states."
    return Check(
        name="manifest",
        passed=not differing,
        sentence=f"Rows differ from the manifest: {'; '.join(differing)}." if differing else sentence,
    )
