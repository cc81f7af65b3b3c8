"""The command on a real run and real targets: what it plans is what an attack spends, and nothing is written."""

import json
import re
import subprocess
import sys

import polars as pl
import pytest

from pipelines.cli import app, exit_code_of
from pipelines.configs import PlanOptions, TargetOptions
from pipelines.planning import plan
from scanner.attack import EVIDENCE_FIRST
from scanner.demo import target_folder
from scanner.tables import GENERATIONS, PROMPTS, TRIAGE
from tests.pipelines.conftest import ATTACK

FLAGS = ("--prompts", "4", "--control", "12", "--seeds", "4", "--steps", "12", "--guidance", "3", "--evidence", "10")
QUICK = ("--warm-up-seconds", "0.5")


def run_plan(capsys, *arguments: object) -> tuple[int, str, str]:
    code = exit_code_of(app, ["plan", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_an_attack_spends_what_was_planned(small_run):
    made = plan(str(small_run.path), str(target_folder()), ATTACK, PlanOptions(warm_up_seconds=0.5), TargetOptions())
    rows, triage = small_run.read(GENERATIONS), small_run.read(TRIAGE)["evaluations"].sum()
    for section, spent in (("Images", len(rows)), ("Denoiser evaluations", rows["evaluations"].sum() + triage)):
        planned = made.figure(section, "all").span
        assert planned.least <= spent <= planned.most
    assert made.figure("Denoiser evaluations", "triage").span.expected == triage
    controls = small_run.read(PROMPTS).filter(pl.col("arm") == "control")["prompt_id"]
    searched = rows.filter(pl.col("prompt_id").is_in(controls.implode()), pl.col("image_index") < EVIDENCE_FIRST)
    planned = made.figure("Denoiser evaluations", "control arm").span.expected
    assert searched["evaluations"].sum() == pytest.approx(planned, rel=0.1)
    schedule = small_run.manifest()["parts"]["attack"]["schedule"]
    assert (
        f"rounds up to {', '.join(map(str, schedule))} images" in made.figure("Prompts", "risk prompts searched").basis
    )


def test_a_run_and_a_target_give_a_readable_plan_and_write_nothing(small_run, tiny_pipeline, capsys):
    before = {path: path.stat().st_mtime_ns for path in small_run.path.rglob("*")}
    code, said, _ = run_plan(capsys, small_run.path, "--target", tiny_pipeline, *FLAGS, *QUICK, "--price-per-hour", 3)
    assert code == 0
    for words in (
        r"triage +128 +counted",
        r"the paper's attack +192,000 +counted",
        r"evaluations in a second +[\d,.]+ +measured",
        r"weights +[\d.]+ .B +counted",
        r"all hours .*3 an hour",
        r"at a false-positive rate of 8.33 %, 0.333 of 4 non-memorised prompts are expected to pass the verdict",
        r"A plan: nothing was written\.",
    ):
        assert re.search(words, " ".join(said.split())), words
    assert "\x1b" not in said
    assert {path: path.stat().st_mtime_ns for path in small_run.path.rglob("*")} == before


def test_the_same_plan_as_json(small_run, tiny_pipeline, capsys):
    code, said, _ = run_plan(
        capsys, small_run.path, "--target", tiny_pipeline, *FLAGS, *QUICK, "--budget", "1e9 images", "--json"
    )
    assert code == 0
    sections = {section["name"]: section["figures"] for section in json.loads(said)["sections"]}
    assert set(sections) >= {
        "Prompts",
        "Denoiser evaluations",
        "Images",
        "Disk",
        "Memory",
        "Errors to expect",
        "Budget",
    }
    assert sections["Budget"][0]["span"] == {"least": 4, "expected": 4, "most": 4}
    for figures in sections.values():
        for figure in figures:
            assert figure["known"] in ("measured", "counted", "extrapolated", "unknown")
            assert (figure["span"] is None) == (figure["known"] == "unknown")
            if figure["span"]:
                assert figure["span"]["least"] <= figure["span"]["expected"] <= figure["span"]["most"]


def test_without_a_target_counts_alone_are_given(small_run, capsys):
    code, said, _ = run_plan(capsys, small_run.path, *FLAGS)
    assert code == 0
    assert re.search(r"triage +unknown +unknown +give --target; not counted below", said)
    assert "measured" not in said.replace("attack measured on", "")


def test_rows_plan_the_audit_too(tiny_pipeline, capsys):
    code, said, _ = run_plan(capsys, "100M", "--target", tiny_pipeline, "--prompts", "5000", *QUICK, "--model", "demo")
    assert code == 0
    for words in (r"rows +100,000,000", r"read and embed a row +[\d.]+ \w+ +measured", r"originals' index +310 GB"):
        assert re.search(words, said), words
    assert "is not known before the audit" in " ".join(said.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("no-such-run",), "neither a run directory nor a number of rows"),
        (("2e9", "--budget", "soon"), "no budget"),
        (("2e9", "--target", "/no/such/model"), "no target"),
        (("2e9", "--model", "ViT-B-32", "--pretrained", "nothing"), "no weights named"),
    ],
)
def test_what_can_not_be_planned_is_one_sentence(arguments, sentence, capsys):
    code, said, error = run_plan(capsys, *arguments)
    assert (code, said) == (2, "")
    assert sentence in error
    assert error.startswith("scanner: ")
    assert error.count("\n") == 1


def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys):
    assert "is not a run directory" in run_plan(capsys, tmp_path)[2]


def test_help_needs_no_torch():
    code = "import sys; from pipelines.cli import app; app(['plan', '--help'])\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "scanner plan runs/laion --target" in done.stdout
