"""`scanner review` as a user meets it."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipelines.cli import app, exit_code_of
from scanner.review import Journal, list_items
from scanner.run import Run
from scanner.tables import GROUPS
from tests.review.planted import Planned, items_of, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


def test_it_prints_its_address_serves_and_ends_with_ctrl_c(run: Run) -> None:
    # a test that runs in the background has Ctrl-C ignored, and so would its children
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heard}\nfrom pipelines.cli import main; main()"
    command = [sys.executable, "-c", code, "review", str(run.path), "--no-browser", "--reviewer", "ada"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("Review 17 items as ada: http://127.0.0.1:")
        url = first.split()[-1]
        state = json.load(urllib.request.urlopen(url + "state", timeout=20))
        item = json.load(urllib.request.urlopen(url + "queue?show=all&state=all", timeout=20))
        assert (state["items"], item["length"]) == (17, 17)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "Nothing was decided in this session." in out


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of `scanner review ARGUMENTS` in this process."""
    capsys.readouterr()
    code = exit_code_of(app, ["review", *map(str, arguments)])
    return (code, *capsys.readouterr())


def test_the_summary_says_what_was_reviewed_and_what_was_not(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    items = list_items(run)
    for name, answer in (("ada", "accepted"), ("bo", "rejected")):
        journal = Journal(run.path, name)
        journal.add({"item": items_of(items, "hit")[0], "kind": "pair", "decision": "accepted"})
        journal.add({"item": items_of(items, "hit")[1], "kind": "pair", "decision": answer})
    code, out, _ = said(capsys, run.path, "--json")
    found = json.loads(out)
    assert (code, found["reviewers"]) == (0, ["ada", "bo"])
    hits = found["counts"][0]
    assert (hits["accepted"], hits["disputed"], hits["unreviewed"]) == (1, 1, 4)
    assert (found["agreement"][0]["both"], found["agreement"][0]["kappa"]) == (2, 0.0)
    code, out, _ = said(capsys, run.path, "--summary")
    assert code == 0
    assert "1 of them alike (50.0 %); Cohen's kappa is 0.00." in " ".join(out.split())


def test_a_later_run_keeps_decisions(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = make_reviewed_run(tmp_path / "later", Planned(offset=3))
    journal = Journal(run.path, "ada")
    for item in items_of(list_items(run), "group"):
        journal.add({"item": item, "kind": "group", "decision": "accepted"})
    code, out, err = said(capsys, later.path, "--from", run.path, "--json")
    assert code == 0
    assert "8 decisions about the same pictures taken over" in " ".join(err.split())
    groups = next(one for one in json.loads(out)["counts"] if one["kind"] == "group")
    assert (groups["accepted"], groups["unreviewed"]) == (8, 0)


def test_what_can_not_be_reviewed_is_refused_in_a_sentence(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = Run.claim(tmp_path / "empty", {"dataset": "none/"})
    GROUPS.write(empty.path, GROUPS.empty())

    def refused(*arguments: object) -> str:
        code, _, err = said(capsys, *arguments)
        assert code == 2
        assert "Traceback" not in err
        return " ".join(err.split())

    assert "nothing to review yet" in refused(empty.path)
    assert "is not a run directory" in refused(run.path, "--from", tmp_path)
    assert "--reviewer" in refused(run.path, "--reviewer", " ")
    assert "--port 70000 is no port" in refused(run.path, "--port", "70000")
