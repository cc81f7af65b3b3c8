"""The demo recipe: everything, on a data set and a model that ship with the scanner.

    scanner demo --out demo-run

Writes demo-run/data (about 4,800 rows with planted duplicates), demo-run/data-truth.parquet (which row copies which;
the scanner never reads it) and demo-run/run, the run directory with its report.
"""

from pathlib import Path

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.configs import AttackOptions, AuditConfig
from pipelines.engines import LocalEngine
from scanner.demo import build_demo, target_folder
from scanner.run import Run

AUDIT = AuditConfig(model="demo")
ATTACK = AttackOptions(
    prompts=200, control=100, rate=0.5, miss=0.05, steps=12, search_steps="2,3", guidance=3.0, evidence=10
)
"""Few steps and a low guidance suit a target of 64 × 64 pixels; a prompt is looked for that shows its image in half of
its seeds, which 5 images settle. Everything else is the default."""


def demo(out: Path, engine: LocalEngine) -> Run:
    """Build the data set, audit it and attack the target; a demo that was stopped goes on where it was."""
    data = build_demo(out / "data")
    run = audit(data, out / "run", AUDIT, engine)
    attack(run, str(target_folder()), ATTACK, engine)
    return run
