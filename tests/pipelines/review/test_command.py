"""`scanner review` as a user meets it."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from scanner.review import Journal, list_items
from scanner.run import Run
from scanner.tables import GROUPS
from tests.pipelines.test_cli import refused, scanner
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


def test_the_summary_says_what_was_reviewed_and_what_was_not(run: Run) -> None:
    items = list_items(run)
    for name, answer in (("ada", "accepted"), ("bo", "rejected")):
        journal = Journal(run.path, name)
        journal.add({"item": items_of(items, "hit")[0], "kind": "pair", "decision": "accepted"})
        journal.add({"item": items_of(items, "hit")[1], "kind": "pair", "decision": answer})
    found = json.loads(scanner("review", run.path, "--json").stdout)
    assert found["reviewers"] == ["ada", "bo"]
    hits = found["counts"][0]
    assert (hits["accepted"], hits["disputed"], hits["unreviewed"]) == (1, 1, 4)
    assert (found["agreement"][0]["both"], found["agreement"][0]["kappa"]) == (2, 0.0)
    said = scanner("review", run.path, "--summary")
    assert said.returncode == 0
    assert "ada and bo judged 2 items both, 1 of them alike (50.0 %); Cohen's kappa is 0.00." in said.stdout


def test_a_later_run_keeps_decisions(run: Run, tmp_path: Path) -> None:
    later = make_reviewed_run(tmp_path / "later", Planned(offset=3))
    journal = Journal(run.path, "ada")
    for item in items_of(list_items(run), "group"):
        journal.add({"item": item, "kind": "group", "decision": "accepted"})
    done = scanner("review", later.path, "--from", run.path, "--json")
    assert done.returncode == 0
    assert "8 decisions about the same pictures taken over" in done.stderr
    groups = next(one for one in json.loads(done.stdout)["counts"] if one["kind"] == "group")
    assert (groups["accepted"], groups["unreviewed"]) == (8, 0)


def test_what_can_not_be_reviewed_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    empty = Run.claim(tmp_path / "empty", {"dataset": "none/"})
    GROUPS.write(empty.path, GROUPS.empty())
    assert "nothing to review yet" in refused("review", empty.path)
    assert "is not a run directory" in refused("review", run.path, "--from", tmp_path)
    assert "--reviewer" in refused("review", run.path, "--reviewer", " ")
    assert "--port 70000 is no port" in refused("review", run.path, "--port", "70000")
