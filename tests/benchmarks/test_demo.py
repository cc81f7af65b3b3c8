"""The demo, measured: time, memory, duplicate groups against the truth table, verified groups, controls, resuming.

    make bench

Prints one table of figures; every line that the project promises is asserted here.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.demo import truth, truth_path
from scanner.run import Run
from scanner.tables import ERRORS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TABLES, TRIAGE

pytestmark = pytest.mark.bench
SCANNER = [sys.executable, "-c", "from pipelines.cli import main; main()"]
EDITS = ("reencoded_q75", "reencoded_q30", "resized_half", "resized_64", "brightened", "cropped")


def say(what: str, figure: object) -> None:
    print(f"  {what:<66} {figure}")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, run once as a user runs it."""
    out = tmp_path_factory.mktemp("demo") / "demo-run"
    began = time.monotonic()
    process = subprocess.Popen([*SCANNER, "demo", "--out", str(out), "--json"], stdout=subprocess.PIPE, text=True)
    summary = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # reaped here, for its memory
    process.stdout.close()
    seconds, gigabytes = time.monotonic() - began, usage.ru_maxrss / 2**20
    assert process.returncode == 0
    (out / "summary.json").write_text(summary)
    print()
    say("scanner demo, seconds (at most 360)", f"{seconds:.0f}")
    say("scanner demo, peak memory in GiB (at most 4)", f"{gigabytes:.2f}")
    assert seconds <= 360
    assert gigabytes <= 4
    return out


@pytest.fixture(scope="module")
def rows(demo: Path) -> pl.DataFrame:
    """Every sample with its truth and its found group (its own id where it is in none)."""
    run = demo / "run"
    samples = SAMPLES.read(run).select("sample_id", "key", "caption")
    found = samples.join(MEMBERS.read(run), on="sample_id", how="left").join(truth(truth_path(demo / "data")), on="key")
    return found.with_columns(group=pl.col("group_id").fill_null(pl.col("sample_id")))


def test_help_takes_less_than_half_a_second():
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([*SCANNER, "--help"], capture_output=True, check=True)
        took.append(time.monotonic() - began)
    say("scanner --help, seconds, median of 5 (under 0.5)", f"{sorted(took)[2]:.2f}")
    assert sorted(took)[2] < 0.5


def test_every_row_is_accounted_for(demo: Path):
    read, failed = SAMPLES.read(demo / "run").height, ERRORS.read(demo / "run").height
    say("rows = read + in the ledger", f"{read + failed} = {read} + {failed}")
    assert read + failed == truth(truth_path(demo / "data")).height


def test_duplicate_groups_against_the_truth(rows: pl.DataFrame):
    exact = rows.filter(pl.col("kind").is_in(["original", "exact", "natural"]))
    whole = exact.group_by("picture").agg(pl.len(), pl.col("group").n_unique()).filter(pl.col("len") > 1)
    say("groups of exact copies found whole (all)", f"{(whole['group'] == 1).sum()} of {whole.height}")
    original = rows.filter(pl.col("key") == pl.col("original_key")).select("picture", original_group="group")
    edited = rows.filter(pl.col("kind").is_in(EDITS)).join(original, on="picture")
    together = (edited["group"] == edited["original_group"]).sum()
    say(
        "edited copies in their original's group (at least 98 %)",
        f"{together} of {edited.height}, {together / edited.height:.2%}",
    )
    inside = rows.filter(pl.col("group_id").is_not_null())
    pairs = inside.group_by("group").agg(n=pl.len())["n"].cast(pl.Int64)
    right = inside.group_by("group", "picture").agg(n=pl.len())["n"].cast(pl.Int64)
    precision = (right * (right - 1)).sum() / (pairs * (pairs - 1)).sum()
    mixed = inside.group_by("group").agg(pl.col("picture").n_unique()).filter(pl.col("picture") > 1).height
    say("pair precision inside groups (at least 99.5 %)", f"{precision:.3%}; groups with two pictures: {mixed}")
    assert (whole["group"] == 1).all()
    assert together / edited.height >= 0.98
    assert precision >= 0.995


def test_verified_groups_and_controls(demo: Path, rows: pl.DataFrame):
    run = demo / "run"
    hits = HITS.read(run).join(PROMPTS.read(run).select("prompt_id", "arm", "group_id"), on="prompt_id")
    matching = hits.filter(pl.col("verdict") == "matching", pl.col("arm") == "risk")
    group_of = rows.filter(pl.col("key") == pl.col("original_key"), pl.col("agreeing"), pl.col("group_copies") >= 2)
    for copies in (256, 128, 64, 32, 16, 8, 4, 2):
        groups = group_of.filter(pl.col("group_copies") == copies)["group"]
        say(
            f"verified, groups of {copies} copies under one caption",
            f"{groups.is_in(matching['group_id'].implode()).sum()} of {groups.len()}",
        )
    heavy = group_of.filter(pl.col("group_copies") >= 32)["group"]
    found = heavy.is_in(matching["group_id"].implode()).sum()
    control = hits.filter(pl.col("arm") == "control")
    false = control.filter(pl.col("verdict") != "none").height
    say("verified, groups of 32 copies and more (at least 95 %)", f"{found} of {heavy.len()}")
    say("attacked controls with any verdict (at most 1 of 60 or more)", f"{false} of {control.height}")
    say("the paper's rule alone would accept of the controls", f"{control['paper_rule'].sum()} of {control.height}")
    assert found / heavy.len() >= 0.95
    assert control.height >= 60
    assert false <= 1


def test_triage_separates(demo: Path):
    scores = TRIAGE.read(demo / "run").join(PROMPTS.read(demo / "run"), on="prompt_id")
    passed = scores.group_by("arm", pl.col("copies") >= 32).agg(
        pl.len(), pl.col("passed").sum(), pl.col("score").median()
    )
    for arm, heavy, count, ok, score in passed.sort("arm", "copies").rows():
        say(
            f"triage: {arm}, {'32 copies and more' if heavy else 'fewer'}",
            f"{ok} of {count} pass, median score {score:.3f}",
        )
    assert TRIAGE.read(demo / "run")["threshold"].n_unique() == 1
    assert (scores["arm"] == "control").sum() >= 100


def test_rerunning_changes_nothing_and_is_quick(demo: Path):
    run = demo / "run"
    before = {name: table.read(run) for name, table in TABLES.items()}
    began = time.monotonic()
    subprocess.run([*SCANNER, "demo", "--out", str(demo)], capture_output=True, check=True)
    say("the same demo again, seconds", f"{time.monotonic() - began:.0f}")
    for name, table in TABLES.items():
        assert_frame_equal(table.read(run), before[name])


def test_killed_at_random_moments_ends_with_the_same_tables(demo: Path, tmp_path: Path):
    """SIGKILL after random waits until a run gets through; no finished file may be written twice."""
    out, rng, kills, written = tmp_path / "demo-run", random.Random(0), 0, {}
    while True:
        process = subprocess.Popen(
            [*SCANNER, "demo", "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=rng.uniform(15, 45))
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            parts = [
                path
                for folder in ("samples", "generations", "originals")
                for path in (out / "run" / folder).glob("[!.]*")
            ]
            for path in parts:
                assert written.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns, path
    assert process.returncode == 0
    say("killed and resumed, times", kills)
    for table in TABLES.values():
        assert_frame_equal(table.read(out / "run"), table.read(demo / "run"))
    assert Run.open(out / "run").manifest()["tables"] == Run.open(demo / "run").manifest()["tables"]


def test_the_summary_agrees_with_the_tables(demo: Path):
    summary = json.loads((demo / "summary.json").read_text())
    assert summary["rows"]["read"] == SAMPLES.read(demo / "run").height
    assert summary["duplicates"]["groups"] == GROUPS.read(demo / "run").height
