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
from pipelines.export_array import bool_array
from pipelines.export_options import READ_BY_ROWS, refuse_other_arm, refuse_unread
from pipelines.export_shards import write_shards
from pipelines.known_rows import refuse_unknown_rows
from pipelines.repair import mitigations_of
from scanner.errors import UnusableInputError
from scanner.exports import Selection, counted
from scanner.exports.rows import (
    as_text,
    drop_list,
    keys_are_uids,
    named,
    recaption_rows,
    subset,
    uids_among,
    unread_rows,
)
from scanner.files import replacing
from scanner.run import Run
from scanner.tables import ERRORS


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
    """Write the rows of the groups of these prompts, of all groups where there are none, in one of ROW_FORMATS. Classes
    and the smallest risk of the options are asked of the groups themselves: not each has a listed prompt.

    Raises UnusableInputError, and writes nothing, when there is nothing to drop, the rows can't be named as asked, or
    `out` may not be written.
    """
    form = ROW_FORMATS[options.format]
    refuse_unread(options, READ_BY_ROWS | form.reads)
    refuse_other_arm(options)
    selection = Selection(classes=options.risk, least_risk=options.min_risk or 0.0)
    if form.suffixes and out.suffix not in form.suffixes:
        raise UnusableInputError(f"A {options.format} is written to {' or '.join(form.suffixes)}; name --out so.")
    if form.suffixes and out.exists() and not options.overwrite:
        raise UnusableInputError(f"{out} exists; name another place, or give --overwrite to replace it.")
    mitigations, made = mitigations_of(run, options.keep)
    if prompts is not None:
        mitigations = mitigations.filter(pl.col("group_id").is_in(prompts["group_id"].drop_nulls().implode()))
    mitigations = _of_risk(mitigations, selection)
    if mitigations.is_empty():
        narrowed = prompts is not None or selection.narrows
        which = "has no duplicate group" if not narrowed else "has no duplicate group that these filters leave"
        raise UnusableInputError(f"{run.path} {which}, so there is nothing to drop or to re-caption.")
    return form.write(Task(run=run, out=out, options=options, mitigations=mitigations, kept=made.kept, engine=engine))


def _of_risk(mitigations: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """What is to do in the groups of these classes and of this risk or more."""
    found = mitigations.filter(pl.col("risk_before") >= selection.least_risk)
    return found.filter(pl.col("class_before").is_in(selection.classes)) if selection.classes else found


@contextmanager
def _writing(out: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `out`. Raises UnusableInputError where nothing can be written."""
    try:
        with replacing(out) as temporary:
            yield temporary
    except OSError as error:
        raise UnusableInputError(f"{out} can't be written ({error.strerror or error}); name another place.") from error


def _drop_list(task: Task) -> ExportedRows:
    listed = drop_list(named(task.run, task.options.by or "key"), task.dropped, unread_rows(task.run))
    with _writing(task.out) as temporary:
        if task.out.suffix == ".txt":
            temporary.write_bytes(as_text(listed))
        else:
            listed.values.write_parquet(temporary)
    return ExportedRows(entries=listed.rows, sentence=listed.sentence)


def _datacomp(task: Task) -> ExportedRows:
    refuse_unknown_rows(task.run)
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
        (twice, "to drop", "kept all the same, for the uid also stands on a row that stays"),
        (keep.null_count(), "without a uid", "left out by the resharder"),
        (len(unread), "not read", "not among them: the run does not know the uids"),
    )
    said = "".join(
        f"; {counted(count, f'row {which} is', f'rows {which} are')} {what}" for count, which, what in remarks if count
    )
    keeps = counted(len(uids), "uid")
    return ExportedRows(entries=len(uids), sentence=f"{keeps} to keep, for DataComp's resharder{said}.")


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
    true = "is True" if goes == 1 else "are True"
    return ExportedRows(entries=goes, sentence=f"{goes:,} of {counted(len(mask), 'row')} {true}: to drop.")


def _shards(task: Task) -> ExportedRows:
    shards, rows = write_shards(
        task.run,
        task.out,
        task.dropped,
        drop_failed=task.options.drop_failed,
        overwrite=task.options.overwrite,
        engine=task.engine,
    )
    sentence = f"{counted(shards, 'shard')} without {counted(rows, 'row')}; of each group {task.kept} stays."
    return ExportedRows(entries=rows, sentence=sentence)


def _recaption(task: Task) -> ExportedRows:
    rows = recaption_rows(task.run, task.mitigations)
    if rows.is_empty():
        raise UnusableInputError("Every copy has a caption of its own or none, so there is nothing to re-caption.")
    with _writing(task.out) as temporary:
        rows.write_parquet(temporary) if task.out.suffix == ".parquet" else rows.write_ndjson(temporary)
    groups = counted(rows["group_id"].n_unique(), "group")
    return ExportedRows(entries=len(rows), sentence=f"{counted(len(rows), 'row')} of {groups} to re-caption.")


@dataclass(frozen=True, kw_only=True)
class RowFormat:
    """A consumer's format."""

    write: Callable[[Task], ExportedRows]
    """Writes it."""
    suffixes: tuple[str, ...] = ()
    """Endings of its file; none for a folder."""
    reads: frozenset[str] = frozenset()
    """Options that it reads besides those of every format of rows."""


_FAILED = frozenset({"drop_failed"})
ROW_FORMATS: Mapping[str, RowFormat] = {
    "drop-list": RowFormat(write=_drop_list, suffixes=(".parquet", ".txt"), reads=frozenset({"by"})),
    "datacomp": RowFormat(write=_datacomp, suffixes=(".npy",), reads=_FAILED),
    "bool-array": RowFormat(write=_bool_array, suffixes=(".npy",), reads=_FAILED),
    "shards": RowFormat(write=_shards, reads=_FAILED),
    "recaption": RowFormat(write=_recaption, suffixes=(".parquet", ".jsonl")),
}
"""By the name that `scanner export --format` takes."""
