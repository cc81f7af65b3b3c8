"""What other tools call a row: its url, key, uid, hash or sample_id.

    url        as the data set gives it
    key        with its shard; keys are unique in their shard only
    uid        DataComp's: the carried column `uid`, or the key where the keys are uids (layout `datacomp`, or
               --key-column uid); 32 hex digits
    sha256     the data set's own column `sha256` where the run carries it (img2dataset's is of the file as it was
               downloaded, DataComp's likewise), else of the image file as it is stored
    sample_id  the scanner's own

>>> named(run, "url").sentence                                               # doctest: +SKIP
'url as the data set gives it'
"""

from dataclasses import dataclass

import polars as pl

from scanner.carried import read_carried
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import SAMPLES

NAMES = ("key", "url", "uid", "sha256", "sample_id")
_UID, _SHA256 = r"^[0-9a-fA-F]{32}$", r"^[0-9a-fA-F]{64}$"


@dataclass(frozen=True, kw_only=True)
class Named:
    """Every row of a run under a name."""

    name: str
    """key, url, uid, sha256 or sample_id."""
    rows: pl.DataFrame
    """`sample_id`, and the columns of the name: itself, for the key `shard` and `key`."""
    sentence: str
    """What the name is, for people."""

    @property
    def columns(self) -> list[str]:
        """The columns that name a row."""
        return ["shard", "key"] if self.name == "key" else [self.name]


def named(run: Run, name: str) -> Named:
    """All rows of the samples table under that name. Raises UnusableInputError where the run does not know it."""
    if name not in NAMES:
        raise UnusableInputError(f"Rows can't be listed by '{name}'; give --by one of {', '.join(NAMES)}.")
    if name == "uid":
        return _by_uid(run)
    if name == "sha256":
        return _by_sha256(run)
    columns = {"url": ["url"], "key": ["shard", "key"], "sample_id": []}[name]
    words = {"url": "url as the data set gives it", "key": "shard and key", "sample_id": "sample_id of this run"}
    return Named(name=name, rows=_samples(run, columns), sentence=words[name])


def keys_are_uids(run: Run) -> bool:
    """Whether the run's keys are DataComp's uids."""
    return run.config.get("layout") == "datacomp" or run.config.get("key_column") == "uid"


def uids_among(keys: pl.Series) -> pl.Series:
    """Those of the keys that are uids, in small letters."""
    return keys.filter(keys.str.contains(_UID)).str.to_lowercase()


def _samples(run: Run, columns: list[str]) -> pl.DataFrame:
    return SAMPLES.scan(run.path).select("sample_id", *columns).collect().sort("sample_id")


def _carried(run: Run, name: str) -> pl.DataFrame | None:
    if name not in (run.config.get("carry") or ()):
        return None
    return read_carried(run.path).select("sample_id", pl.col(name).cast(pl.String))


def _by_uid(run: Run) -> Named:
    rows = _carried(run, "uid")
    if rows is None and keys_are_uids(run):
        rows = _samples(run, ["key"]).rename({"key": "uid"})
    if rows is None:
        raise UnusableInputError(
            "The run does not know the rows' uids; audit the data set again, into another directory, with --carry uid."
        )
    _refuse_other(rows["uid"], _UID, "uid of DataComp (32 hex digits)")
    return Named(name="uid", rows=rows.with_columns(pl.col("uid").str.to_lowercase()), sentence="DataComp's uid")


def _by_sha256(run: Run) -> Named:
    rows = _carried(run, "sha256")
    if rows is None:
        rows = _samples(run, ["file_sha256"]).rename({"file_sha256": "sha256"})
        return Named(name="sha256", rows=rows, sentence="sha-256 of the image file as it is stored")
    _refuse_other(rows["sha256"], _SHA256, "sha-256 (64 hex digits)")
    rows = rows.with_columns(pl.col("sha256").str.to_lowercase())
    return Named(name="sha256", rows=rows, sentence="the data set's own sha256 column, as carried")


def _refuse_other(values: pl.Series, pattern: str, what: str) -> None:
    other = values.filter(~values.str.contains(pattern))  # null where there is none
    if len(other):
        raise UnusableInputError(f"{other[0]!r:.80} is no {what}, so that rows can't be listed by it.")
