"""The prompt ranking, measured: 10 million rows in time and memory, and how well `risk` orders what a model gives back.

make bench
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from pipelines.audit import audit
from pipelines.demo import AUDIT, demo
from pipelines.engines import LocalEngine
from scanner.demo import build_demo
from scanner.run import Run
from scanner.tables import PROMPTS
from tests.benchmarks.full_attack import attack_fully, risk_prompts, stored_outcome
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
ROWS = 10_000_000


def _alone(*arguments: str) -> str:
    """What `tests.benchmarks.ranked` prints, run in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.ranked", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_ten_million_rows(tmp_path: Path) -> None:
    """Both arms as the audit's own step writes them; their captions are counted before, by another step."""
    _alone(str(tmp_path / "run"), str(ROWS))
    took = json.loads(_alone(str(tmp_path / "run")))
    say(f"{ROWS:,} rows ranked, seconds (at most 300)", f"{took['seconds']:.0f}")
    say("of these, processor seconds", f"{took['cpu_seconds']:.0f}")
    say("peak memory, GiB (at most 8)", f"{took['peak_gib']:.2f}")
    coverage = took["coverage"]
    say("duplicate groups, of these covered", f"{coverage['groups']:,}, {coverage['covered']:,}")
    prompts = PROMPTS.scan(tmp_path / "run").group_by("arm").len().collect()
    say("prompts", dict(prompts.iter_rows()))
    assert took["seconds"] <= 300
    assert took["peak_gib"] <= 8
    assert dict(prompts.iter_rows())["control"] == 400


def auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC, ties counted half (Mann and Whitney)."""
    hits, others = int(positive.sum()), int((~positive).sum())
    return float((rankdata(scores)[positive].sum() - hits * (hits + 1) / 2) / (hits * others))


def test_risk_orders_what_the_demo_target_gives_back(tmp_path: Path) -> None:
    """In-sample: the weights of the formula were chosen on this data set and this target."""
    if os.environ.get("SCANNER_FULL_ATTACK"):
        demo(tmp_path, LocalEngine())
        outcome = attack_fully(tmp_path / "run", tmp_path / "full")
        say("outcome of the full attack", "made now")
    else:
        audit(build_demo(tmp_path / "data"), tmp_path / "run", AUDIT, LocalEngine())
        outcome = stored_outcome()
        say("outcome of the full attack", "as stored in full_attack.csv; SCANNER_FULL_ATTACK=1 makes it again")
    prompts = risk_prompts(Run.open(tmp_path / "run"))
    known = prompts.join(outcome, on="prompt_id")
    say("prompts with an outcome, of those ranked", f"{len(known)} of {len(prompts)}")
    say("images a prompt, at most", known["images"].unique().sort().to_list())
    verified = known["verified"].to_numpy()
    risk, copies = (auc(known[name].cast(pl.Float64).to_numpy(), verified) for name in ("risk", "copies"))
    say("verified", f"{verified.sum()} of {len(known)}")
    say("AUC of risk (at least 0.95, and that of copies)", f"{risk:.4f}")
    say("AUC of copies alone", f"{copies:.4f}")
    assert len(known) >= 0.95 * len(prompts)
    assert risk >= 0.95
    assert risk >= copies
