"""report.json carries a hash of itself: every change of a value shows, a change of layout does not."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import app, exit_code_of
from scanner.errors import ScannerError, UnusableInputError
from scanner.report import report_path, verify_report, write_report
from scanner.report._seal import seal
from scanner.run import Run
from tests.report.hostile import make_hostile
from tests.report.planted import STATES, Plan, make_run

Content = dict[str, Any]


@pytest.mark.parametrize("state", STATES)
def test_every_report_has_its_hash(tmp_path: Path, state: str) -> None:
    run = make_run(tmp_path / "run", STATES[state])
    write_report(run)
    content = json.loads(report_path(run).read_text(encoding="utf-8"))
    assert verify_report(report_path(run)) == content.pop("sha256")


def test_the_hash_is_that_of_the_canonical_json() -> None:
    content = {"b": [1, 2.5, None, True], "a": {"é": "\u202e\x00"}}
    canonical = '{"a":{"é":"\u202e\\u0000"},"b":[1,2.5,null,true]}'
    assert seal(content)["sha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert seal(seal(content)) == seal(content)
    with pytest.raises(ValueError, match="not JSON compliant"):
        seal({"share": float("nan")})


def test_hostile_text_is_hashed_as_it_is(tmp_path: Path) -> None:
    run = make_hostile(tmp_path / "run")
    write_report(run)
    assert len(verify_report(report_path(run))) == 64


def more_hits(content: Content) -> None:
    content["arms"][0]["verified"]["hits"] = 0


def no_limit(content: Content) -> None:
    content["limits"].pop()


def other_hash(content: Content) -> None:
    content["sha256"] = "0" * 64


@pytest.mark.parametrize("change", [more_hits, no_limit, other_hash])
def test_every_change_shows(
    tmp_path: Path, change: Callable[[Content], None], capsys: pytest.CaptureFixture[str]
) -> None:
    run = sealed_run(tmp_path)
    path = report_path(run)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content), encoding="utf-8")
    assert exit_code_of(app, ["report", str(run.path), "--verify"]) == 0, "another layout is no other content"
    assert "is as it was written" in capsys.readouterr().out
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    assert exit_code_of(app, ["report", str(run.path), "--verify"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n"), said.err.count("was changed since it was written")) == ("", 1, 1)


def sealed_run(folder: Path) -> Run:
    run = make_run(folder / "run", Plan(copies=(4, 2), extracted=(0,), singles=3))
    write_report(run)
    return run


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not readable as JSON"),
        ('{"rows": NaN}', "not readable as JSON"),
        ('{"a": 1, "a": 2}', "a name stands twice"),
        ("[" * 100_000, "not readable as JSON"),
        ("[]", "has no hash to check"),
        ('{"rows": 1}', "has no hash to check"),
        ('{"sha256": 7}', "has no hash to check"),
    ],
)
def test_what_is_no_sealed_report_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScannerError, match=why):
        verify_report(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ScannerError, match="not readable as JSON"):
        verify_report(path)


def test_a_report_that_is_not_there_is_unusable_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": "x"})
    with pytest.raises(UnusableInputError, match="is not there; write it with `scanner report RUN`"):
        verify_report(report_path(run))
    assert exit_code_of(app, ["report", str(run.path), "--verify"]) == 2
    assert not (run.path / "report").exists(), "nothing is written"
    capsys.readouterr()


def test_verified_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sealed_run(tmp_path)
    assert exit_code_of(app, ["report", str(run.path), "--verify", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"report": str(report_path(run)), "sha256": verify_report(report_path(run)), "verified": True}
