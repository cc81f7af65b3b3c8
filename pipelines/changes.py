"""A data set that changes between two tries of a run: what a run takes, and what it refuses and names.

Shards that are new are taken with --add-shards, numbered after those that are there, so that no sample_id changes.
While no pair of the run is searched they are read with the others, as if they had been there from the start; from then
on they are an addition (`scanner.duplicates.prefix_of`), with shards that could not be read so far. A file that changed
or vanished is refused, and so is a new file in a shard that was there.

numbers = pin_files(run, dataset)    # before anything is read
"""

from itertools import count

import polars as pl

from scanner.duplicates import addition_of
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import Dataset, UrlList
from scanner.tables import FEATURES, FILES, MATCH_PAIRS, MATCHES, PAIRS, SAMPLES


def pin_files(run: Run, dataset: Dataset | UrlList, *, add_shards: bool = False) -> dict[str, int]:
    """Write down the state of every file of the data set, or compare with what an earlier try wrote down; gives every
    shard's number.

    Raises UnusableInputError when a file is not as it was when the run began, or when there are new shards and they are
    not to be added, or can't be.
    """
    now = _files(dataset)
    if not FILES.exists(run.path):
        FILES.write(run.path, now)
        return _numbers(now)
    before = _recorded(run, now)
    known = pl.col("shard").is_in(before["shard"].unique().implode())
    _refuse_changed(run, before, now.filter(known))
    new = now.filter(~known)
    if len(new):
        _refuse_unfit(run, dataset, new["file"][0], add_shards=add_shards)
        before = _grown(run, before, new)
        run.reopen()
        FILES.write(run.path, before)
    return _numbers(before)


def begins(run: Run) -> list[int]:
    """Rows of the samples table with which the additions of shards begin, in order; none where nothing was added."""
    shards = FILES.read(run.path)
    if "added" not in shards.columns:
        return []
    later = shards.filter(pl.col("added") > 0).group_by("added").agg(pl.col("number").min()).sort("added")
    ids = SAMPLES.scan(run.path).select("sample_id").collect()["sample_id"].sort()
    return [int(ids.search_sorted(number << 32)) for number in later["number"].to_list()]


def clear_from(run: Run, numbers: list[int]) -> None:
    """Remove the pairs of additions that shards of these numbers, still to be read, belong to, of all later ones, and
    with another run: they are of fewer rows."""
    files = FILES.read(run.path)
    added = files.filter(pl.col("number").is_in(numbers))["added"].to_list() if "added" in files.columns else []
    first = min(added, default=0)
    for table in (PAIRS, FEATURES):
        table.clear(run.path, lambda part: addition_of(part) >= first)
    MATCH_PAIRS.clear(run.path)
    (run.path / MATCHES.path).unlink(missing_ok=True)


def _files(dataset: Dataset | UrlList) -> pl.DataFrame:
    """Every file of every shard, all as of the first audit."""
    rows = (
        (shard.name, file, str(state), shard.index, 0)
        for shard in dataset.shards
        for file, state in shard.files.items()
    )
    return pl.DataFrame(list(rows), schema=FILES.schema, orient="row").sort(FILES.key)


def _numbers(files: pl.DataFrame) -> dict[str, int]:
    return dict(files.select("shard", "number").unique().iter_rows())


def _recorded(run: Run, now: pl.DataFrame) -> pl.DataFrame:
    """What the run wrote down. A run of a version that did not number shards has them in the order of the data set."""
    before = FILES.read(run.path)
    if "number" in before.columns:
        return before
    shards = now.join(before, on="shard", how="semi").sort("number")["shard"].unique(maintain_order=True)
    numbered = pl.DataFrame({"shard": shards}).with_row_index("number")
    return FILES.conform(before.join(numbered, on="shard", how="left").with_columns(added=0))


def _refuse_changed(run: Run, before: pl.DataFrame, now: pl.DataFrame) -> None:
    both = before.join(now, on=FILES.key, how="full", coalesce=True, suffix="_now").sort(FILES.key)
    differing = both.filter(pl.col("state").ne_missing(pl.col("state_now")))
    if differing.is_empty():
        return
    first = differing.row(0, named=True)
    if first["state"] is None:
        raise UnusableInputError(
            f"{first['file']} is new in a part of the data set that the run in {run.path} has already (its shard "
            f"{first['shard']}); put what is new into a folder or file of its own and give --add-shards, or begin a "
            "new run in another directory."
        )
    raise UnusableInputError(
        f"{first['file']} has changed since the run in {run.path} began (then {first['state']}; now "
        f"{first['state_now'] or 'not there'}); put it back, or begin a new run in another directory."
    )


def _refuse_unfit(run: Run, dataset: Dataset | UrlList, file: str, *, add_shards: bool) -> None:
    elsewhere = "audit them into another directory, or all of it anew"
    if isinstance(dataset, UrlList):
        raise UnusableInputError(
            f"{file} is new since the run in {run.path} began, and rows can't be added to a list of URLs that is "
            f"being downloaded; {elsewhere}."
        )
    if not add_shards:
        raise UnusableInputError(
            f"{file} is new since the run in {run.path} began; give --add-shards to search what was added, put it "
            "away, or begin a new run in another directory."
        )
    if run.config.get("limit") is not None:
        raise UnusableInputError(f"A run with --limit reads no more rows, so no shards can be added; {elsewhere}.")
    if run.part_config("attack") is not None:
        raise UnusableInputError(
            f"The prompts of {run.path} are under attack, and would be others with more shards; {elsewhere}."
        )


def _grown(run: Run, before: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The files with the new ones, numbered after the others."""
    current, last = (max(before[name].to_list()) for name in ("added", "number"))
    searched = any(addition_of(part.stem) == current for part in (run.path / PAIRS.path).glob("*.parquet"))
    unread = [number for number in _numbers(before).values() if not SAMPLES.exists(run.path, f"{number:05d}")]
    late = pl.col("number").is_in(unread) & pl.lit(searched)
    moved = pl.concat([before.filter(late).sort("number"), new.sort("number")])
    numbers = dict(zip(moved["shard"].unique(maintain_order=True).to_list(), count(last + 1), strict=False))
    number = pl.col("shard").replace_strict(numbers, return_dtype=pl.Int64)
    added = moved.with_columns(number=number, added=pl.lit(current + searched, pl.Int64))
    return pl.concat([before.filter(~late), added])
