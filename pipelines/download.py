"""Download a list of URLs into a run, with img2dataset: its retries, its time limit, and its respect for opt-outs.

    scanner audit laion2B-en/ --out RUN --where "punsafe < 0.1" --sample 0.001

Before the first request the list is read once and the wanted rows are written to RUN/download/list, a file for each of
img2dataset's shards; what lies there and img2dataset's own files are what a stopped run goes on from. A site that
forbids the use (`X-Robots-Tag: noai, noimageai, noindex, noimageindex`) is respected.

An image keeps its aspect; one whose shorter side is longer than --image-size is made smaller to that, so that the crop
of a target of 512 pixels is there in full; JPEGs that are not larger are stored as they were served, byte for byte.
With --image-size 0 every file is. What img2dataset makes smaller is stored as JPEG of quality 95, without its EXIF
orientation.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import polars as pl

from pipelines.configs import DownloadConfig
from pipelines.engines import Progress
from scanner.errors import ScannerError
from scanner.files import replacing
from scanner.fingerprints import part_name
from scanner.images import download_folder
from scanner.run import Run
from scanner.samples import (
    PLAN,
    Downloaded,
    DownloadFolder,
    Options,
    Shard,
    UrlList,
    choose,
    open_downloaded,
)
from scanner.tables import SAMPLES

OPT_OUTS = ("noai", "noimageai", "noindex", "noimageindex")
"""Directives of `X-Robots-Tag` under which an image is not used (img2dataset's own list)."""
TRIES = 2
"""How often img2dataset is started for shards that it did not finish."""
QUALITY = 95
"""Of the JPEGs that img2dataset makes (its default)."""

_POLL_SECONDS = 0.2


def download_settings(config: DownloadConfig) -> dict[str, Any]:
    """The settings that decide what is stored: a resumed run must agree with them."""
    return {name: value for name, value in asdict(config).items() if name not in ("processes", "threads")}


def download(run: Run, urls: UrlList, options: Options, config: DownloadConfig, progress: Progress) -> Downloaded:
    """The list with its images, in the run's own folder; shards that the run has stored already are not asked for.

    Raises ScannerError when img2dataset can't be run to its end; what it finished is kept.
    """
    return download_into(
        download_folder(run),
        urls,
        options,
        config,
        progress,
        stored=lambda shard: SAMPLES.exists(run.path, part_name(shard)),
    )


def download_into(  # noqa: PLR0913 - what, which of it, how, and who is told
    folder: DownloadFolder,
    urls: UrlList,
    options: Options,
    config: DownloadConfig,
    progress: Progress,
    *,
    stored: Callable[[Shard], bool] = lambda _: False,
) -> Downloaded:
    """The list with its images, downloaded into `folder` as far as they are not there or `stored` already.

    Raises ScannerError when img2dataset can't be run to its end; what it finished is kept.
    """
    if not folder.plan.exists():
        _write_plan(folder, urls, options, config.shard_rows)
    planned = open_downloaded(folder, urls, config.shard_rows)
    unread = [shard for shard in planned.shards if not stored(shard)]
    wanted = [number for shard in unread if (number := planned.parts[shard.name].number) is not None]
    for attempt in range(1, TRIES + 1):
        pending = [number for number in wanted if _stats(folder, number) is None]
        if not pending:
            break
        code = _fetch(folder, _img2dataset(folder, config), pending, progress)
        if code and attempt == TRIES:
            raise ScannerError(
                f"img2dataset stopped with exit code {code} ({_last_words(folder)}); see {folder.log}, "
                "and give the same command again to go on."
            )
    return open_downloaded(folder, urls, config.shard_rows)


def _write_plan(folder: DownloadFolder, urls: UrlList, options: Options, rows: int) -> None:
    """The chunks of the list; the plan itself last, since a plan that is there is complete."""
    shutil.rmtree(folder.lists, ignore_errors=True)
    shutil.rmtree(folder.left_out(0).parent, ignore_errors=True)
    folder.lists.mkdir(parents=True)
    folder.left_out(0).parent.mkdir()
    chunks: list[tuple[int, int, int | None, int]] = []
    number = 0
    for index, chunk in enumerate(choose(urls, options, rows)):
        chunk.ledger.write_parquet(folder.left_out(index))
        if len(chunk.rows):
            chunk.rows.write_parquet(folder.list(number))
        chunks.append((index, chunk.file.shard.index, number if len(chunk.rows) else None, len(chunk.rows)))
        number += bool(len(chunk.rows))
    plan = pl.DataFrame(chunks, schema=["chunk", "file", "number", "rows"], orient="row").cast(pl.Int64)
    names = [file.shard.name for file in urls.files]
    position, count = pl.int_range(pl.len()).over("file"), pl.len().over("file")
    name = pl.col("file").replace_strict(range(len(names)), names, return_dtype=pl.String)
    shard = pl.when(count == 1).then(name).otherwise(pl.format("{}:{}", name, position))
    with replacing(folder.plan) as temporary:
        plan.with_columns(shard=shard).select(PLAN.names()).write_parquet(temporary)


def _img2dataset(folder: DownloadFolder, config: DownloadConfig) -> dict[str, Any]:
    """The arguments of img2dataset's `download`."""
    schemas = [pl.read_parquet_schema(file) for file in sorted(folder.lists.glob("*.parquet"))]
    everywhere = [name for name in schemas[0] if all(name in schema for schema in schemas)]
    return {
        "url_list": str(folder.lists),
        "input_format": "parquet",
        "url_col": "url",
        "caption_col": "caption",
        "save_additional_columns": [name for name in everywhere if name not in ("url", "caption")],
        "output_folder": str(folder.path),
        "output_format": "webdataset",
        "number_sample_per_shard": config.shard_rows,
        "incremental_mode": "incremental",
        "image_size": config.image_size,
        "resize_mode": "keep_ratio",
        "resize_only_if_bigger": True,
        "skip_reencode": True,
        "encode_quality": QUALITY,
        "disable_all_reencoding": config.image_size == 0,
        "processes_count": config.processes or os.cpu_count() or 1,
        "thread_count": config.threads,
        "retries": config.retries,
        "timeout": config.timeout,
        "disallowed_header_directives": list(OPT_OUTS),
    }


def _fetch(folder: DownloadFolder, settings: dict[str, Any], pending: Sequence[int], progress: Progress) -> int:
    """Run img2dataset to its end, and show which shards it has finished; gives its exit code."""
    left = set(pending)
    for number in left:
        folder.stats(number).unlink(missing_ok=True)  # one that was being written when the run was stopped
    progress.begin("download", len(left))
    try:
        with _img2dataset_process(folder, settings) as process:
            ended = False
            while not ended:
                ended = process.poll() is not None  # before the look at the files, so that none is missed
                left -= {number for number in sorted(left & _finished(folder)) if _tell(progress, folder, number)}
                if not ended:
                    time.sleep(_POLL_SECONDS)
            return process.wait()
    finally:
        progress.end()


@contextmanager
def _img2dataset_process(folder: DownloadFolder, settings: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """img2dataset in a process group of its own, which ends with this block or with this process."""
    # NO_ALBUMENTATIONS_UPDATE: it would ask the network for a newer release of itself
    environment = os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "pipelines._fetch", json.dumps(settings)]
    with (
        folder.log.open("ab") as log,
        subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # which is what is hoped for
                os.killpg(process.pid, signal.SIGKILL)


def _finished(folder: DownloadFolder) -> set[int]:
    ending = folder.stats(0).name.removeprefix("00000")
    return {int(path.name.removesuffix(ending)) for path in folder.path.glob(f"*{ending}")}


def _stats(folder: DownloadFolder, number: int) -> dict[str, Any] | None:
    """What img2dataset says of a shard that it finished; None for any other."""
    try:
        return dict(json.loads(folder.stats(number).read_bytes()))
    except (OSError, ValueError):
        return None


def _tell(progress: Progress, folder: DownloadFolder, number: int) -> bool:
    """Show that a shard is finished, if it is."""
    stats = _stats(folder, number)
    if stats is None:
        return False
    errors = stats["failed_to_download"] + stats["failed_to_resize"]
    progress.tally(rows=stats["count"], size=folder.tar(number).stat().st_size, errors=errors, part=0.0)
    progress.advance()
    return True


def _last_words(folder: DownloadFolder) -> str:
    lines = folder.log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
