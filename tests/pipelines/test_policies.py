"""A run held to `--min-recall`: exit codes and sentences as a user meets them, over real searches that miss."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from pipelines import grouping
from scanner.duplicates import DuplicatesConfig
from scanner.run import Run
from scanner.tables import GROUPS, MEMBERS, PAIRS
from tests.pipelines.conftest import Scanner
from tests.samples.embedded import names, turned, unit, write_clip_retrieval


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 vectors and a near copy of each, at a cosine that cells alone do not keep together."""
    single = unit(300, 16)
    copies = np.stack([turned(row, 0.9, number) for number, row in enumerate(single)])
    rows = names(600)
    return write_clip_retrieval(
        tmp_path_factory.mktemp("pairs") / "data", [(np.concatenate([single, copies]), rows)], 1
    )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in cells, of which each row asks its own alone: it really misses pairs."""
    monkeypatch.setattr(grouping, "DuplicatesConfig", partial(DuplicatesConfig, exhaustive_rows=0, probes=1))


def audit(data: Path, out: Path, *more: object) -> list[object]:
    return ["audit", data, "--out", out, "--threshold", "0.89", "--control", "10", *more]


@pytest.mark.usefixtures("hasty")
def test_a_run_that_missed_too_much_is_whole_and_exits_with_3(pairs: Path, tmp_path: Path, scanner: Scanner) -> None:
    code, out, err = scanner(*audit(pairs, tmp_path / "run", "--min-recall", "0.99", "--json"))
    summary = json.loads(out)
    found, (policy,) = summary["recall"], summary["policies"]
    assert (code, policy["rule"], policy["wanted"], policy["kept"]) == (3, "min_recall", 0.99, False)
    assert policy["measured"] == found["share"] == found["found"] / found["pairs"] < 0.99
    assert err == f"scanner: {policy['sentence']}"
    assert f"found {found['found']:,} of {found['pairs']:,} true pairs" in policy["sentence"]
    assert "less than --min-recall 0.99; all is written" in policy["sentence"]
    run = Run.open(tmp_path / "run")
    assert run.manifest()["parts"]["audit"]["recall"]["found"] == found["found"]
    page = Path(summary["report"]).read_text(encoding="utf-8")
    assert f'<data value="{found["found"]}" data-path="recall.found">' in page


@pytest.mark.usefixtures("hasty")
def test_the_policy_is_no_part_of_the_configuration(pairs: Path, tmp_path: Path, scanner: Scanner) -> None:
    run = tmp_path / "run"
    assert scanner(*audit(pairs, run))[0] == 0
    before = [(table, table.read(run)) for table in (PAIRS, MEMBERS, GROUPS)]
    assert scanner(*audit(pairs, run, "--min-recall", "0.99"))[0] == 3
    code, out, err = scanner(*audit(pairs, run, "--min-recall", "0.2"))
    assert (code, err) == (0, "")
    assert "--min-recall 0.2 is kept: the search found" in out
    for table, frame in before:
        assert_frame_equal(table.read(run), frame)
    assert scanner("report", run)[0] == 0
    code, out, err = scanner("report", run, "--min-recall", "0.99")
    assert (code, "recall" in out, err.count("less than --min-recall 0.99")) == (3, True, 1)


def test_a_kept_policy_says_what_so_few_rows_show(pairs: Path, tmp_path: Path, scanner: Scanner) -> None:
    code, out, err = scanner(*audit(pairs, tmp_path / "run", "--min-recall", "1"))
    assert (code, err) == (0, "")
    assert "--min-recall 1 is kept: the search found" in out
    assert "a recall of 1 (a small sample: all pairs of 500 of 500 drawn, exact 95 % interval from 0.9926)." in out


def test_where_there_is_nothing_to_measure_nothing_is_claimed(tmp_path: Path, scanner: Scanner) -> None:
    data = write_clip_retrieval(tmp_path / "data", [(unit(40, 64), names(40))], 1)
    code, out, err = scanner(*audit(data, tmp_path / "run", "--min-recall", "0.99", "--json"))
    (policy,) = json.loads(out)["policies"]
    assert (code, err, policy["kept"], policy["measured"]) == (0, "", None, None)
    assert policy["sentence"] == (
        "--min-recall 0.99 was not tested: brute force found no near-duplicate of the 40 drawn, "
        "so there was no pair to miss."
    )
    code, out, _ = scanner("report", tmp_path / "run", "--min-recall", "0.99")
    assert code == 0
    assert "recall nothing to measure" in out
    assert "was not tested" in out


def test_a_run_that_has_measured_none_is_refused_before_anything_is_written(tmp_path: Path, scanner: Scanner) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": "nothing/"})
    code, out, err = scanner("report", run.path, "--min-recall", "0.99")
    assert (code, out) == (2, "")
    assert "has not measured its recall; give its `scanner audit` again" in err
    assert not (run.path / "report").exists()
    assert scanner("report", run.path)[0] == 0


@pytest.mark.parametrize("value", ["0", "-0.5", "1.01", "nan", "all"])
def test_no_share_is_refused(pairs: Path, tmp_path: Path, scanner: Scanner, value: str) -> None:
    code, out, err = scanner(*audit(pairs, tmp_path / "run", "--min-recall", value))
    assert (code, out) == (2, "")
    assert "min-recall" in err
    assert not (tmp_path / "run").exists()
