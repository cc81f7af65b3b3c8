"""`--against`: pictures of another run are found in this one, listed with where they lie, and shown in the report."""

import json
import shutil

import pytest
from polars.testing import assert_frame_equal

from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig, AuditExtras
from pipelines.engines import LocalEngine
from pipelines.report import report
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import MATCH_PAIRS, MATCHES, SAMPLES
from tests.duplicates.planted import draw
from tests.pipelines.test_add_shards import CONFIG, add, edit

TRAIN = {"t0": [*map(draw, range(6)), edit(50, "q75")], "t1": [draw(2), edit(51, "half"), draw(9), edit(50, "darker")]}
TEST = {"e0": [draw(2), draw(50), draw(51), edit(4, "q75"), draw(4), draw(60), draw(61)]}
EXPECTED = [
    *(("t00002", "e00000", "pixels", 1), ("t00004", "e00004", "pixels", 2), ("t00006", "e00001", "thumbnail", 1)),
    *(("t10000", "e00000", "pixels", 1), ("t10001", "e00002", "thumbnail", 1), ("t10003", "e00001", "thumbnail", 1)),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Run, Run]:
    """A training set that was compared with a test set, and the test set's run."""
    top = tmp_path_factory.mktemp("against")
    other = audit(add(top / "test", TEST), top / "other", CONFIG, LocalEngine())
    extras = AuditExtras(against=str(other.path))
    return audit(add(top / "train", TRAIN), top / "run", CONFIG, LocalEngine(), extras=extras), other


@pytest.fixture
def copied(runs, tmp_path) -> Run:
    """The same run, where it may be changed; its data set stays."""
    shutil.copytree(runs[0].path, tmp_path / "run")
    return Run.open(tmp_path / "run")


def found(run: Run) -> list[tuple]:
    rows = run.read(MATCHES).join(run.read(SAMPLES), on="sample_id")
    return rows.select("key", "other_key", "look", "other_copies").rows()


def test_planted_leakage_is_found_with_where_it_lies(runs):
    run, other = runs
    assert found(run) == EXPECTED
    matches = run.read(MATCHES)
    assert set(matches["other_shard"]) == {"e0"}
    assert matches["other_caption"][0] == "caption of e0 0"
    part = run.manifest()["parts"]["against"]
    assert (part["rows_that_match"], part["other_pictures"], part["rows"]) == (6, 4, 7)
    assert part["run"] == str(other.path.absolute())
    assert run.manifest()["tables"]["matches"] == 6


def test_the_report_shows_them_and_the_summary_counts_them(runs, capsys):
    run, _ = runs
    page = report(run).read_text(encoding="utf-8")
    said = json.loads((run.path / "report" / "report.json").read_text())
    assert said["matches"] | {"run": ""} == {
        "dataset": "test", "run": "", "other_rows": 7, "rows": 6, "pictures": 4, "equal": 3, "alike": 3
    }  # fmt: skip
    assert [match["other_key"] for match in said["matching"]] == ["e00000", "e00001", "e00002", "e00004"]
    assert 'id="matches"' in page
    assert page.count('alt="Picture of the other set"') == 4
    assert "as its 32 × 32 thumbnail" not in page.split('id="matches"')[1].split("</section>")[0]
    assert exit_code_of(app, ["report", str(run.path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["matches"]["rows"] == 6
    assert "matching" not in summary


def test_a_run_without_the_flag_says_nothing_of_it(runs):
    page = report(runs[1]).read_text(encoding="utf-8")
    assert 'id="matches"' not in page
    assert json.loads((runs[1].path / "report" / "report.json").read_text())["matches"] is None
    assert "matches" not in runs[1].manifest()["tables"]


def test_a_comparison_that_was_stopped_goes_on_without_being_told_again(runs, copied):
    (copied.path / MATCHES.path).unlink()
    part = next((copied.path / MATCH_PAIRS.path).glob("hash-*"))
    part.unlink()
    again = audit(copied.config["dataset"], copied.path, CONFIG, LocalEngine())
    for table in (MATCHES, MATCH_PAIRS):
        assert_frame_equal(again.read(table), runs[0].read(table))


def test_added_shards_are_compared_too(runs, tmp_path):
    data = add(tmp_path / "train", TRAIN)
    extras = AuditExtras(against=str(runs[1].path))
    audit(data, tmp_path / "run", CONFIG, LocalEngine(), extras=extras)
    grown = audit(
        add(data, {"a": [edit(60, "q75"), draw(80)]}), tmp_path / "run", CONFIG, LocalEngine(),
        extras=AuditExtras(add_shards=True),
    )  # fmt: skip
    assert found(grown) == [*EXPECTED, ("a0000", "e00005", "thumbnail", 1)]


def test_another_other_run_is_refused(runs, copied):
    with pytest.raises(UnusableInputError, match="was compared with another run"):
        audit(
            copied.config["dataset"], copied.path, CONFIG, LocalEngine(),
            extras=AuditExtras(against=str(runs[0].path)),
        )  # fmt: skip


def test_an_other_run_that_changed_is_refused(runs, copied):
    part = copied.path / "against.json"
    content = json.loads(part.read_text())
    content["config"]["rows"] = 6
    part.write_text(json.dumps(content))
    with pytest.raises(UnusableInputError, match=r"compared with that run before it changed .*, 6 rows then"):
        audit(
            copied.config["dataset"], copied.path, CONFIG, LocalEngine(),
            extras=AuditExtras(against=str(runs[1].path)),
        )  # fmt: skip


def _other_weights(other, model: str = "demo") -> None:
    header = other / "run.json"
    content = json.loads(header.read_text())
    content["config"] |= {"model": model, "model_checksum": "0" * 64}
    header.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda other: (other / "manifest.json").unlink(), "is not finished"),
        (lambda other: (other / "run.json").unlink(), "not a run directory"),
        (_other_weights, "other weights or arrays of demo .model_checksum differs"),
        (lambda other: _other_weights(other, "ViT-B-32"), "embeddings of ViT-B-32 and not of demo"),
    ],
    ids=["unfinished", "no run", "other weights", "other model"],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_written(runs, tmp_path, spoil, sentence):
    shutil.copytree(runs[1].path, tmp_path / "other")
    spoil(tmp_path / "other")
    with pytest.raises(UnusableInputError, match=sentence):
        audit(
            runs[0].config["dataset"], tmp_path / "run", CONFIG, LocalEngine(),
            extras=AuditExtras(against=str(tmp_path / "other")),
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_the_model_is_that_of_the_audit(runs):
    assert AuditConfig(model="demo").weights() is None
    assert runs[0].config["model_checksum"] == runs[1].config["model_checksum"]
