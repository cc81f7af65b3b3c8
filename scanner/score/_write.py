"""A score as files in the run: RUN/score/score.json, score.parquet (a row a picture), prompts.parquet (a row a prompt),
curves.parquet (a row a threshold).

>>> write_score(scored, Path("RUN"))                                          # doctest: +SKIP
PosixPath('RUN/score/score.json')
"""

from dataclasses import asdict
from pathlib import Path

import polars as pl

from scanner.files import replacing
from scanner.run import write_json
from scanner.score._score import Scored

FOLDER = "score"
"""In the run directory."""


def write_score(scored: Scored, run: Path) -> Path:
    """Write all four, the JSON last; a later score takes their place."""
    folder = run / FOLDER
    for name, frame in (("score", scored.pictures), ("prompts", scored.prompts), ("curves", scored.points)):
        _write_table(frame, folder / f"{name}.parquet")
    write_json(folder / "score.json", asdict(scored.score))
    return folder / "score.json"


def _write_table(frame: pl.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        frame.write_parquet(temporary)
