"""Rewritten webdataset shards: the data set without the dropped rows, in a folder of its own, the originals untouched.

    OUT/00000.tar, 00000.parquet, 00000_stats.json    as in the data set
    OUT/repair.json                                   what was dropped from which data set; written first

A shard whose tar is there is finished, and an export that was stopped goes on where it was.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.engines import Job, LocalEngine, require
from pipelines.known_rows import refuse_unknown_rows
from pipelines.unchanged import unchanged_root
from scanner import __version__
from scanner.embeddings import samples_path
from scanner.errors import UnusableInputError
from scanner.exports.rows import Cut, ShardCounts, rewrite_shard
from scanner.run import Run, write_json
from scanner.samples import Place, is_local
from scanner.tables import ERRORS, FILES

HEADER = "repair.json"


@dataclass(frozen=True, kw_only=True)
class Tar:
    """A shard of the data set."""

    name: str
    """As the run names it."""
    place: Place
    """Its file."""
    number: int
    """Its shard base is number × 2³²."""
    stem: Path
    """The new shard, without its ending."""

    @property
    def size(self) -> int:
        return int(self.place.stat().st_size)

    @property
    def done(self) -> bool:
        return self._beside(".tar").exists()

    def remove(self) -> None:
        """Take an earlier new shard away."""
        for ending in (".tar", ".parquet", "_stats.json"):
            self._beside(ending).unlink(missing_ok=True)

    def _beside(self, ending: str) -> Path:
        return self.stem.with_name(self.stem.name + ending)


def write_shards(  # noqa: PLR0913 - what, where to, what goes, and how
    run: Run, out: Path, dropped: pl.Series, *, drop_failed: bool, overwrite: bool, engine: LocalEngine
) -> tuple[int, int]:
    """Write the data set of `run` without the rows of these sample_ids into the folder `out`; gives the shards and the
    rows that went.

    Raises UnusableInputError, and writes nothing, when the data set is of another layout, gone or changed, the run does
    not know all its rows, or `out` lies inside it or holds something else.
    """
    _refuse_layout(run, drop_failed=drop_failed)
    refuse_unknown_rows(run)
    root = unchanged_root(run)
    _refuse_inside(out, root)
    tars = _tars(run, root, out)
    _claim(out, _header(run, dropped, drop_failed=drop_failed), tars, overwrite=overwrite)
    going = dropped.sort()

    def make() -> Callable[[Tar], ShardCounts]:
        failed = _failed(run) if drop_failed else {}

        def rewrite(tar: Tar) -> ShardCounts:
            counts = rewrite_shard(tar.place, tar.size, _cut(run, tar, going, failed), tar.stem)
            engine.progress.tally(rows=counts.rows + counts.dropped, size=counts.size, errors=0, part=1.0)
            return counts

        return rewrite

    job: Job[Tar, ShardCounts] = Job(
        name="repaired shards", shards=tars, make=make, done=lambda tar: tar.done, write=lambda *_: None
    )
    require(engine.run(job))
    lost = ERRORS.scan(run.path).filter(_is_failed()).select(pl.len()).collect().item() if drop_failed else 0
    return len(tars), len(dropped) + lost


def _refuse_layout(run: Run, *, drop_failed: bool) -> None:
    layout = run.config.get("layout")
    if layout != "webdataset":
        raise UnusableInputError(
            f"Only webdataset shards are rewritten, and this data set's layout is {layout}; write --format drop-list "
            "and filter the data set by it."
        )
    if drop_failed and run.config.get("key_column") is not None:
        raise UnusableInputError(
            "--drop-failed finds rows by their keys in the tar, and this run took them from --key-column; leave it out."
        )


def _refuse_inside(out: Path, root: Place) -> None:
    if is_local(root) and out.resolve().is_relative_to(Path(str(root)).resolve()):
        raise UnusableInputError(f"{out} lies inside the data set {root}; name a folder elsewhere for the new shards.")


def _tars(run: Run, root: Place, out: Path) -> list[Tar]:
    files = FILES.read(run.path).filter(pl.col("file").str.ends_with(".tar")).sort("number")
    columns = ("shard", "file", "number")
    return [
        Tar(name=shard, place=root / file, number=number, stem=(out / file).with_suffix(""))
        for shard, file, number in files.select(columns).iter_rows()
    ]


def _header(run: Run, dropped: pl.Series, *, drop_failed: bool) -> dict[str, Any]:
    """What the folder is: another export into it must agree."""
    content = dropped.sort().to_numpy().tobytes() + FILES.read(run.path)["state"].str.join("\n").item().encode()
    return {
        "dataset": str(run.config["dataset"]),
        "run": str(run.path.absolute()),
        "scanner": __version__,
        "dropped": len(dropped),
        "drop_failed": drop_failed,
        "fingerprint": hashlib.sha256(content).hexdigest(),
    }


def _claim(out: Path, header: dict[str, Any], tars: list[Tar], *, overwrite: bool) -> None:
    """Begin in `out`, or go on there. Raises UnusableInputError when it holds something else."""
    if out.exists() and not out.is_dir():
        raise UnusableInputError(f"{out} is a file; name a folder for the shards.")
    ours = (out / HEADER).exists()
    if ours and _agrees(out / HEADER, header):
        return
    if out.exists() and any(out.iterdir()):
        if not ours:
            raise UnusableInputError(f"{out} holds other files; name a new or an empty folder for the shards.")
        if not overwrite:
            raise UnusableInputError(
                f"{out} holds shards without other rows; name another folder, or give --overwrite to replace them."
            )
        for tar in tars:
            tar.remove()
    write_json(out / HEADER, header)


def _agrees(path: Path, header: dict[str, Any]) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    names = ("dataset", "drop_failed", "fingerprint")
    return isinstance(found, dict) and all(found.get(name) == header[name] for name in names)


def _cut(run: Run, tar: Tar, going: pl.Series, failed: dict[str, frozenset[str]]) -> Cut:
    """What goes from a shard; `going` is sorted."""
    first, end = going.search_sorted(tar.number << 32), going.search_sorted((tar.number + 1) << 32)
    rows = _places(run, tar.number)
    images = rows.filter(pl.col("sample_id").is_in(going[first:end].implode()))["offset"]
    return Cut(images=frozenset(images), keys=failed.get(tar.name, frozenset()))


def _places(run: Run, number: int) -> pl.DataFrame:
    part = samples_path(run.path, f"{number:05d}")
    return pl.scan_parquet(part).select("sample_id", "offset").collect()


def _is_failed() -> pl.Expr:
    """Ledger entries of rows that could not be read, and of no row that was."""
    return (pl.col("key") != "") & (pl.col("stage") != "select") & (pl.col("reason") != "duplicate_key")


def _failed(run: Run) -> dict[str, frozenset[str]]:
    """Keys of rows that could not be read, by shard."""
    rows = ERRORS.scan(run.path).filter(_is_failed()).group_by("shard").agg(pl.col("key")).collect()
    return {shard: frozenset(keys) for shard, keys in rows.iter_rows()}
