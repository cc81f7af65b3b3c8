"""The report recipe: one HTML file and its JSON, from the tables alone; nothing is generated or embedded again.

scanner report RUN
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from scanner.report import write_report
from scanner.run import Run
from scanner.samples import read_encoded
from scanner.tables import SAMPLES


def report(run: Run) -> Path:
    """Write RUN/report/ and return the path of its index.html.

    Originals are read from the data set where it still is, and shown as their stored thumbnails where it is not.
    """
    root = Path(run.config["dataset"])
    root = root if root.is_dir() else root.parent

    def pictures(sample_ids: Sequence[int]) -> Mapping[int, bytes]:
        rows = SAMPLES.scan(run.path).filter(pl.col("sample_id").is_in(list(sample_ids)))
        places = rows.select("sample_id", "file", "offset", "length").collect()
        return {
            sample: read_encoded(root / file, offset, length)
            for sample, file, offset, length in places.iter_rows()
            if (root / file).exists()
        }

    return write_report(run, pictures)
