"""The report recipe: one HTML file and its JSON, from the tables alone; nothing is generated or embedded again.

scanner report RUN
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from pipelines.comparison import other_of
from pipelines.images import image_places, images_of
from scanner.report import OtherRun, Pictures, write_report
from scanner.run import Run
from scanner.samples import Undecodable


def report(run: Run) -> Path:
    """Write RUN/report/ and return the path of its index.html.

    Originals are read from the data set where it still is, and shown as their stored thumbnails where it is not.
    """
    other = other_of(run)
    return write_report(
        run, _pictures_of(run), None if other is None else OtherRun(run=other, pictures=_pictures_of(other))
    )


def _pictures_of(run: Run) -> Pictures:
    images = images_of(run)

    def pictures(sample_ids: Sequence[int]) -> Mapping[int, bytes]:
        rows = image_places(run).filter(pl.col("sample_id").is_in(list(sample_ids)))
        places = rows.select("sample_id", "file", "offset", "length").collect()
        found = {}
        for sample, file, offset, length in places.iter_rows():
            with suppress(Undecodable):
                found[sample] = images(file, offset, length)
        return found

    return pictures
