"""A score as files in the run: RUN/score/score.json, score.parquet (a row a picture), prompts.parquet (a row a prompt),
curves.parquet (a row a threshold of each score), detectors.parquet (a row a threshold of each detector), and the page
index.html.

>>> write_score(scored, Path("RUN"))                                          # doctest: +SKIP
PosixPath('RUN/score/score.json')
"""

from dataclasses import asdict
from pathlib import Path

import polars as pl

from scanner.files import replacing
from scanner.report import write_page
from scanner.run import write_json
from scanner.score._page import score_page
from scanner.score._score import Scored

FOLDER, PAGE = "score", "index.html"
"""In the run directory, and in that folder."""


def write_score(scored: Scored, run: Path) -> Path:
    """Write them, the JSON last; a later score takes their place."""
    folder = run / FOLDER
    tables = {
        **{"score": scored.pictures, "prompts": scored.prompts, "curves": scored.points},
        "detectors": scored.detector_points,
    }
    for name, frame in tables.items():
        _write_table(frame, folder / f"{name}.parquet")
    write_page(folder / PAGE, score_page(scored))
    write_json(folder / "score.json", asdict(scored.score))
    return folder / "score.json"


def _write_table(frame: pl.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        frame.write_parquet(temporary)
