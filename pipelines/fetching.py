"""Originals that a data set gives only by url, fetched for the prompts under attack and for no others.

A scan of embeddings needs no image. A verdict does: for each prompt, the pictures that carry it are downloaded by
img2dataset (its opt-outs respected), of a duplicate group the medoid and two more, since addresses die. What can't be
had stays missing and is counted. Other originals are not fetched: a generation that shows one of those is not
recognised.

fetch_originals(run, prompts, progress)
"""

from collections.abc import Sequence

import polars as pl

from pipelines.configs import DownloadConfig
from pipelines.download import download_into
from pipelines.engines import Progress
from pipelines.search import Prompt
from scanner.files import replacing
from scanner.images import fetched_folder, fetched_places
from scanner.run import Run
from scanner.samples import Downloaded, Options, Sample, open_url_list
from scanner.tables import MEMBERS, PROMPTS, SAMPLES

PER_GROUP = 3
"""Copies of one picture that are asked for."""

_PLACES = pl.Schema({"sample_id": pl.Int64, "file": pl.String, "offset": pl.Int64, "length": pl.Int64})


def can_be_fetched(run: Run) -> bool:
    """Whether some row has no image, but an address."""
    lacking = pl.col("file").is_null() & pl.col("url").is_not_null()
    return bool(SAMPLES.scan(run.path).select(lacking.any()).collect().item())


def fetch_originals(run: Run, prompts: Sequence[Prompt], progress: Progress) -> int:
    """Fetch what the prompts need, unless that was done; returns how many originals are there.

    Raises ScannerError when img2dataset can't be run to its end; what it finished is kept.
    """
    if not fetched_places(run).exists():
        wanted = _wanted(run, [prompt.prompt_id for prompt in prompts])
        if wanted.is_empty():
            return 0
        _write(run, _download(run, wanted, progress))
    return int(pl.scan_parquet(fetched_places(run)).select(pl.len()).collect().item())


def _wanted(run: Run, prompt_ids: Sequence[str]) -> pl.DataFrame:
    """`key` (the sample_id) and `url` of the rows to fetch."""
    prompts = PROMPTS.scan(run.path).filter(pl.col("prompt_id").is_in(prompt_ids))
    groups = prompts.select("group_id", medoid="sample_id").drop_nulls("group_id").unique("group_id")
    members = (
        MEMBERS.scan(run.path)
        .join(groups, on="group_id")
        .sort(pl.col("sample_id") != pl.col("medoid"), "sample_id")
        .select("group_id", "sample_id")
    )
    singles = prompts.filter(pl.col("group_id").is_null()).select("group_id", "sample_id")
    lacking = SAMPLES.scan(run.path).filter(pl.col("file").is_null(), pl.col("url").is_not_null())
    rows = pl.concat([members, singles]).collect().join(lacking.select("sample_id", "url").collect(), on="sample_id")
    some = rows.filter(pl.int_range(pl.len()).over("group_id", "sample_id") == 0)
    first = some.filter(pl.col("group_id").is_null() | (pl.int_range(pl.len()).over("group_id") < PER_GROUP))
    return first.select(key=pl.col("sample_id").cast(pl.String), url="url").unique("key").sort("key")


def _download(run: Run, wanted: pl.DataFrame, progress: Progress) -> Downloaded:
    folder = fetched_folder(run)
    listed = folder.path / "wanted.parquet"
    if not listed.exists():
        with replacing(listed) as temporary:
            wanted.write_parquet(temporary)
    options = Options(layout="urls")
    urls = open_url_list(listed, options)
    assert urls is not None, "it was written with a url column"
    return download_into(folder, urls, options, DownloadConfig(), progress)


def _write(run: Run, downloaded: Downloaded) -> None:
    found = [
        {"sample_id": int(item.key), "file": item.file, "offset": item.offset, "length": len(item.encoded or b"")}
        for shard in downloaded.shards
        for item in downloaded.read(shard)
        if isinstance(item, Sample)
    ]
    with replacing(fetched_places(run)) as temporary:
        pl.DataFrame(found, schema=_PLACES).sort("sample_id").write_parquet(temporary)
