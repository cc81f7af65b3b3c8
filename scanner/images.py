"""Where the images of a run lie: in its data set, or in the run itself where they were downloaded.

RUN/download/    what was downloaded of a list of URLs
RUN/fetched/     originals that a data set of embeddings gives only by url, fetched for an attack

>>> images_of(run)(file, offset, length)                                     # doctest: +SKIP
>>> encoded_images(run)([17])                                                # doctest: +SKIP
{17: b'\\xff\\xd8...'}
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from scanner.run import Run
from scanner.samples import Columns, DownloadFolder, StoredImages, Undecodable
from scanner.tables import SAMPLES


def download_folder(run: Run) -> DownloadFolder:
    """Where the images of a list of URLs are downloaded to."""
    return DownloadFolder(path=Path(run.path / "download").absolute())


def fetched_folder(run: Run) -> DownloadFolder:
    """Where originals are fetched to."""
    return DownloadFolder(path=Path(run.path / "fetched").absolute())


def fetched_places(run: Run) -> Path:
    """The table of fetched originals: `sample_id`, and `file` (in that folder), `offset` and `length`."""
    return fetched_folder(run).path / "places.parquet"


def images_of(run: Run) -> StoredImages:
    """The images that a run was made from."""
    if run.config.get("layout") == "urls":
        return StoredImages(str(download_folder(run).path))
    return StoredImages(run.config["dataset"], Columns(image=run.config.get("image_column")))


def image_places(run: Run) -> pl.LazyFrame:
    """Every row's `sample_id` and `pixel_sha256`, and `file`, `offset` and `length` for `images_of`; `file` is null
    where a row has no image."""
    rows = SAMPLES.scan(run.path).select("sample_id", "pixel_sha256", "file", "offset", "length")
    if not fetched_places(run).exists():
        return rows
    fetched = pl.scan_parquet(fetched_places(run)).with_columns(
        file=pl.concat_str(pl.lit(f"{fetched_folder(run).path}/"), "file")
    )
    both = rows.join(fetched, on="sample_id", how="left", suffix="_fetched")
    missing = pl.col("file").is_null()
    chosen = {
        name: pl.when(missing).then(pl.col(f"{name}_fetched")).otherwise(pl.col(name))
        for name in ("file", "offset", "length")
    }
    return both.select("sample_id", "pixel_sha256", **chosen)


def encoded_images(run: Run) -> Callable[[Sequence[int]], Mapping[int, bytes]]:
    """sample_ids → the encoded images (JPEG, PNG, ...) of those that can still be had."""
    images = images_of(run)

    def read(sample_ids: Sequence[int]) -> Mapping[int, bytes]:
        wanted = image_places(run).filter(pl.col("sample_id").is_in(list(sample_ids)))
        found = {}
        for sample, file, offset, length in (
            wanted.select("sample_id", "file", "offset", "length").collect().iter_rows()
        ):
            with suppress(Undecodable):
                found[sample] = images(file, offset, length)
        return found

    return read
