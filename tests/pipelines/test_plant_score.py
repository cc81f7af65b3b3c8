"""Planting, auditing and scoring as a user does it: canaries are found as planted, and a run is held against truth."""

import json
import shlex
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig, ScoreConfig
from pipelines.engines import LocalEngine
from pipelines.score import print_score, score_run
from scanner.errors import UnusableInputError
from scanner.report import auc
from scanner.run import Run
from scanner.score import read_truth
from scanner.tables import GENERATIONS, GROUPS, PROMPTS, TRIAGE
from tests.pipelines.conftest import ATTACK, AUDIT, COPIES, SINGLES
from tests.samples.pictures import photo_like

PLAN = "6x2,3x1,1x1"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Thirty photographs that stand once, with captions, and one that stands four times."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(34):
        picture = photo_like(max(number, 3), 80, 96)
        Image.fromarray(picture).save(folder / f"{number}.jpg", quality=95)
        (folder / f"{number}.txt").write_text(f"a photograph of hill {max(number, 3)} at noon")
    return folder


def test_planted_canaries_are_found_by_the_audit_and_counted_by_the_score(photos, tmp_path, capsys):
    planted = str(tmp_path / "planted")
    assert exit_code_of(app, ["lab", "plant", str(photos), "--out", planted, "--plan", PLAN, "--edits", "light"]) == 0
    said = capsys.readouterr().out
    assert f"{planted}/canaries together, never on {planted}/twins" in said
    audited = tmp_path / "audited"
    audited.mkdir()
    links = [shlex.split(line) for line in said.splitlines() if line.strip().startswith("ln -s")]
    assert [Path(link[2]).name for link in links] == ["photos", "canaries", "twins"]
    for _, _, folder, _ in links:
        (audited / Path(folder).name).symlink_to(folder)
    run = audit(audited, tmp_path / "run", AuditConfig(model="demo"), LocalEngine())
    # each canary and each twin is a group, whole and alone, and so is the photograph
    assert sorted(run.read(GROUPS)["copies"]) == [3, 3, 4, 6, 6, 6, 6]
    assert exit_code_of(app, ["lab", "score", str(run.path), f"{planted}/truth.parquet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    steps = [[one[step] for step in ("pictures", "read", "grouped")] for one in [*found["funnel"], found["twins"]]]
    assert steps == [[1, 1, 0], [1, 1, 1], [2, 2, 2], [4, 4, 3]]
    assert [one["prompted"] for one in found["funnel"][1:]] == [1, 2]
    risks = run.read(PROMPTS).filter(
        pl.col("caption").is_in(read_truth(Path(f"{planted}/truth.parquet"))["caption"].implode())
    )
    assert (
        risks.filter(pl.col("copies") == 6)["risk"].n_unique() == 1
    )  # a canary and its twin are prompts of equal risk


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plant", "list.parquet"], "is a list of URLs and holds no images"),
        (["plant", "photos", "--plan", "8"], "--plan 8 can't be read at '8'; give COPIESxCANARIES"),
        (["plant", "photos", "--edits", "heavy"], "There are no edits 'heavy'"),
        (["plant", "nothing"], "does not exist"),
        (["score", "photos", "truth.parquet"], "photos is not a run directory"),
    ],
)
@pytest.mark.usefixtures("photos")
def test_what_can_not_be_used_is_refused_in_one_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"url": ["https://example.org/1.jpg"], "caption": ["a fox"]}).write_parquet("list.parquet")
    where = ["--out", "planted"] if arguments[0] == "plant" else []
    assert exit_code_of(app, ["lab", *arguments, *where]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert sentence in said.err
    assert not Path("planted").exists()


@pytest.mark.parametrize("command", ["plant", "score"])
def test_the_commands_show_examples(command, capsys):
    assert exit_code_of(app, ["lab", command, "--help"]) == 0
    assert f"scanner lab {command} " in capsys.readouterr().out.replace("\n", " ")


@pytest.fixture
def cut_truth(small_truth: pl.DataFrame, tmp_path: Path) -> Path:
    """The truth of the cut, whose rows lie in other shards than the demo's: without shards, by key alone."""
    rows = small_truth.with_columns(group_copies=pl.when(pl.col("group_copies") > 1).then(COPIES).otherwise(1))
    rows.select("key", "picture", "group_copies").write_parquet(tmp_path / "truth.parquet")
    return tmp_path / "truth.parquet"


def test_the_demo_is_scored_against_its_own_truth(small_run, cut_truth, capsys):
    found, path = score_run(small_run, cut_truth, ScoreConfig())
    assert (found.joined.in_run, found.joined.pictures) == (4 * COPIES + SINGLES, 4 + SINGLES)
    once, heavy = found.funnel
    assert (heavy.name, heavy.grouped, heavy.prompted, heavy.attacked, heavy.verified) == (f"{COPIES}", 4, 4, 4, 4)
    assert (once.grouped, once.prompted, once.tried) == (0, AUDIT.control, ATTACK.control)
    planted, singles = found.confusion
    assert (planted.matching, planted.right_picture, planted.not_attacked) == (4, 4, 0)
    assert singles.matching + singles.retrieved + singles.none == ATTACK.control
    print_score(found, path)
    said = capsys.readouterr().out
    assert found.headline.split(":")[0] in said
    assert "8 evaluations a prompt" in said


def test_figures_are_those_of_the_tables(small_run, cut_truth):
    found, _ = score_run(small_run, cut_truth, ScoreConfig())
    triage = small_run.read(TRIAGE).join(small_run.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    risk, control = (triage.filter(pl.col("arm") == arm)["score"].to_numpy() for arm in ("risk", "control"))
    roc = found.detectors[0]
    assert (roc.positives, roc.negatives, roc.auc) == (4, ATTACK.control, auc(risk, control))
    images, both = small_run.read(GENERATIONS), found.costs[-1]
    assert both.search_images + both.evidence_images == images.height
    assert both.evaluations_per_hit == (images["evaluations"].sum() + triage["evaluations"].sum()) / 4


def test_an_audit_or_attack_that_is_not_finished_is_not_scored(small_run, cut_truth, tmp_path):
    run = Run.claim(tmp_path / "run", dict(small_run.config))
    with pytest.raises(UnusableInputError, match=r"audit in .* is not finished"):
        score_run(run, cut_truth, ScoreConfig())
    run.finish("audit", {})
    run.claim_part("attack", {"prompts": 1, "control": 1})
    with pytest.raises(UnusableInputError, match=r"attack in .* is not finished"):
        score_run(run, cut_truth, ScoreConfig())
