"""Data sets at the edge of what an audit can be given, from the command line: the right groups, or one sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.cli import app, exit_code_of
from tests.samples.embedded import names, unit, write_clip_retrieval

ROWS = 40
SETS = {
    "all equal": (np.repeat(unit(1), ROWS, axis=0), {"read": ROWS, "groups": 1, "largest": ROWS}),
    "no two alike": (np.eye(ROWS, dtype=np.float16), {"read": ROWS, "groups": 0, "largest": 0}),
    "constant": (np.full((ROWS, 8), 0.5, np.float32), {"read": ROWS, "groups": 1, "largest": ROWS}),
    "parallel": (
        np.linspace(1, 9, ROWS, dtype=np.float32)[:, None] * np.ones(9, np.float32),
        {"read": ROWS, "groups": 1, "largest": ROWS},
    ),
    "zero": (np.zeros((ROWS, 8), np.float16), {"read": 0, "groups": 0, "largest": 0}),
    "no numbers": (np.full((ROWS, 8), np.nan, np.float16), {"read": 0, "groups": 0, "largest": 0}),
    "one row": (unit(1), {"read": 1, "groups": 0, "largest": 0}),
}
"""Embeddings, and what an audit of them must count."""


@pytest.mark.parametrize("threshold", [None, 1.0])
@pytest.mark.parametrize("kind", SETS)
def test_embeddings_at_the_edge_are_counted_right(
    kind: str, threshold: float | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors, wanted = SETS[kind]
    data = write_clip_retrieval(tmp_path / "data", [(vectors, names(len(vectors)))], 1)
    given = [] if threshold is None else ["--threshold", str(threshold)]
    arguments = ["audit", str(data), "--out", str(tmp_path / "run"), "--min-recall", "1", "--json", *given]
    assert exit_code_of(app, arguments) == 0
    found = json.loads(capsys.readouterr().out)
    counted = {name: found["rows" if name == "read" else "duplicates"][name] for name in wanted}
    assert counted == wanted
    assert found["rows"]["rows_in"] == len(vectors)
    assert found["complete"]
    assert all(check["passed"] for check in found["checks"])
    assert (found["recall"]["share"], found["policies"][0]["kept"]) == (None, None)


def test_a_set_without_rows_gets_an_empty_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_clip_retrieval(tmp_path / "data", [(np.empty((0, 8), np.float16), names(0))], 1)
    assert exit_code_of(app, ["audit", str(data), "--out", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["headline"] == "The data set gave no rows: nothing was scanned."


@pytest.mark.parametrize("threshold", ["0", "-0.5", "1.01", "nan", "inf"])
def test_a_threshold_that_is_no_cosine_is_one_sentence(
    threshold: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_clip_retrieval(tmp_path / "data", [(unit(4), names(4))], 1)
    assert exit_code_of(app, ["audit", str(data), "--out", str(tmp_path / "run"), "--threshold", threshold]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "A cosine threshold lies above 0 and at most at 1" in said.err
    assert not (tmp_path / "run").exists()
