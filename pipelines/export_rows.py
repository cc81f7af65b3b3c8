"""The part of an export that is about rows: what to drop or to re-caption, and the data set without it.

export_rows(run, Path("drop.parquet"), ExportOptions(format="drop-list", by="url"), None, engine).sentence
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.configs import ExportOptions
from pipelines.engines import LocalEngine
from pipelines.export_array import bool_array, refuse_limit, refuse_lost_shards
from pipelines.export_shards import write_shards
from pipelines.repair import mitigations_of
from scanner.errors import UnusableInputError
from scanner.exports.rows import as_text, drop_list, keys_are_uids, named, recaption_rows, subset, uids_among
from scanner.files import replacing
from scanner.run import Run
from scanner.tables import ERRORS, FILES, SAMPLES, SHARDS


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be written."""

    run: Run
    """The audited run."""
    out: Path
    """File or folder."""
    options: ExportOptions
    """How."""
    mitigations: pl.DataFrame
    """What to do in the groups that are meant."""
    kept: str
    """Which row stays of a group, in words."""
    engine: LocalEngine
    """Runs what takes long."""

    @property
    def dropped(self) -> pl.Series:
        """sample_ids of the rows to drop."""
        return self.mitigations.filter(pl.col("mitigation") == "drop")["sample_id"]


@dataclass(frozen=True, kw_only=True)
class ExportedRows:
    """What was written."""

    entries: int
    """Rows in it: dropped ones, or those to keep of a subset."""
    sentence: str
    """The same for people."""


def export_rows(
    run: Run, out: Path, options: ExportOptions, prompts: pl.DataFrame | None, engine: LocalEngine
) -> ExportedRows:
    """Write the rows of the groups of these prompts, of all groups where there are none, in one of ROW_FORMATS; class
    and risk are those of a group, whether or not a prompt of it is listed.

    Raises UnusableInputError, and writes nothing, when there is nothing to drop, the rows can't be named as asked, or
    `out` may not be written.
    """
    form = ROW_FORMATS[options.format]
    if form.suffixes and out.suffix not in form.suffixes:
        raise UnusableInputError(f"A {options.format} is written to {' or '.join(form.suffixes)}; name --out so.")
    if options.arm != "risk" or options.skip_unwritable:
        raise UnusableInputError(
            "--arm and --skip-unwritable are for prompts, and this format lists rows; leave them out."
        )
    if options.by != "key" and options.format != "drop-list":
        raise UnusableInputError("--by is for drop lists; leave it out.")
    if options.drop_failed and not form.knows_failed:
        raise UnusableInputError(
            "--drop-failed is for shards, datacomp and bool-array; rows that could not be read stand in errors.parquet."
        )
    if form.suffixes and out.exists() and not options.overwrite:
        raise UnusableInputError(f"{out} exists; name another place, or give --overwrite to replace it.")
    mitigations, made = mitigations_of(run, options.keep)
    mitigations = mitigations.filter(pl.col("risk_before") >= options.min_risk)
    if options.risk:
        mitigations = mitigations.filter(pl.col("class_before").is_in(options.risk))
    if prompts is not None:
        mitigations = mitigations.filter(pl.col("group_id").is_in(prompts["group_id"].drop_nulls().implode()))
    if mitigations.is_empty():
        filtered = prompts is not None or options.risk or options.min_risk
        which = "has no duplicate group that these filters leave" if filtered else "has no duplicate group"
        raise UnusableInputError(f"{run.path} {which}, so there is nothing to drop or to re-caption.")
    return form.write(Task(run=run, out=out, options=options, mitigations=mitigations, kept=made.kept, engine=engine))


@contextmanager
def _writing(out: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `out`. Raises UnusableInputError where nothing can be written."""
    try:
        with replacing(out) as temporary:
            yield temporary
    except OSError as error:
        raise UnusableInputError(f"{out} can't be written ({error.strerror or error}); name another place.") from error


def _drop_list(task: Task) -> ExportedRows:
    listed = drop_list(named(task.run, task.options.by), task.dropped)
    with _writing(task.out) as temporary:
        if task.out.suffix == ".txt":
            temporary.write_bytes(as_text(listed, bare_keys=_are_keys_unique(task.run)))
        else:
            listed.values.write_parquet(temporary)
    return ExportedRows(entries=listed.rows, sentence=listed.sentence)


def _are_keys_unique(run: Run) -> bool:
    """Whether no key of the data set stands in two shards, rows that were not read among them."""
    if run.config.get("limit") is not None or not set(FILES.read(run.path)["shard"]) <= set(
        SHARDS.read(run.path)["shard"]
    ):
        return False  # there are rows whose keys nobody knows
    unread = ERRORS.scan(run.path).filter((pl.col("key") != "") & (pl.col("reason") != "duplicate_key"))
    keys = [table.select("shard", "key") for table in (SAMPLES.scan(run.path), unread)]
    return not pl.concat(keys).unique().select(pl.col("key").is_duplicated().any()).collect().item()


def _datacomp(task: Task) -> ExportedRows:
    refuse_limit(task.run)
    refuse_lost_shards(task.run)
    rows = named(task.run, "uid").rows
    goes = rows["sample_id"].is_in(task.dropped.implode())
    keep, unread = rows.filter(~goes)["uid"], _unread(task)
    if keys_are_uids(task.run):
        keep, unread = pl.concat([keep, uids_among(unread)]), unread.clear()
    uids = subset(keep)
    with _writing(task.out) as temporary, temporary.open("wb") as file:
        np.save(file, uids)
    twice = rows.filter(goes).filter(pl.col("uid").is_in(keep.implode())).height
    remarks = (
        (twice, "rows to drop are kept all the same, for their uid also stands on a row that stays"),
        (keep.null_count(), "rows that stay have no uid, so that the resharder leaves them out"),
        (len(unread), "rows that were not read are not among them: the run does not know their uids"),
    )
    said = "".join(f"; {count:,} {words}" for count, words in remarks if count)
    return ExportedRows(entries=len(uids), sentence=f"{len(uids):,} uids to keep, for DataComp's resharder{said}.")


def _unread(task: Task) -> pl.Series:
    """Keys of the rows in the ledger that stay: those set aside, and those that could not be read unless these go."""
    stays = (pl.col("key") != "") & (pl.col("reason") != "duplicate_key")
    if task.options.drop_failed:
        stays &= pl.col("stage") == "select"
    return ERRORS.scan(task.run.path).filter(stays).select("key").collect()["key"]


def _bool_array(task: Task) -> ExportedRows:
    mask = bool_array(task.run, task.dropped, unread=task.options.drop_failed)
    with _writing(task.out) as temporary, temporary.open("wb") as file:
        np.save(file, mask)
    goes = int(mask.sum())
    return ExportedRows(entries=goes, sentence=f"{goes:,} of {len(mask):,} rows are True: to drop.")


def _shards(task: Task) -> ExportedRows:
    shards, rows = write_shards(
        task.run,
        task.out,
        task.dropped,
        drop_failed=task.options.drop_failed,
        overwrite=task.options.overwrite,
        engine=task.engine,
    )
    sentence = f"{_count(shards, 'shard')} without {_count(rows, 'row')}; of each group {task.kept} stays."
    return ExportedRows(entries=rows, sentence=sentence)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _recaption(task: Task) -> ExportedRows:
    rows = recaption_rows(task.run, task.mitigations)
    if rows.is_empty():
        raise UnusableInputError("Every copy has a caption of its own or none, so there is nothing to re-caption.")
    with _writing(task.out) as temporary:
        rows.write_parquet(temporary) if task.out.suffix == ".parquet" else rows.write_ndjson(temporary)
    groups = rows["group_id"].n_unique()
    return ExportedRows(entries=len(rows), sentence=f"{len(rows):,} rows of {groups:,} groups to re-caption.")


@dataclass(frozen=True, kw_only=True)
class RowFormat:
    """A consumer's format."""

    write: Callable[[Task], ExportedRows]
    """Writes it."""
    suffixes: tuple[str, ...] = ()
    """Endings of its file; none for a folder."""
    knows_failed: bool = False
    """Whether it says what becomes of rows that could not be read."""


ROW_FORMATS: Mapping[str, RowFormat] = {
    "drop-list": RowFormat(write=_drop_list, suffixes=(".parquet", ".txt")),
    "datacomp": RowFormat(write=_datacomp, suffixes=(".npy",), knows_failed=True),
    "bool-array": RowFormat(write=_bool_array, suffixes=(".npy",), knows_failed=True),
    "shards": RowFormat(write=_shards, knows_failed=True),
    "recaption": RowFormat(write=_recaption, suffixes=(".parquet", ".jsonl")),
}
"""By the name that `scanner export --format` takes."""
