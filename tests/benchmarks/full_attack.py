"""Every ranked prompt of a demo run attacked in full: 500 images, or until two of them agree on one original.

    python -m tests.benchmarks.full_attack RUN OUT              # attacks what OUT has not attacked yet; hours of CPU
    python -m tests.benchmarks.full_attack RUN OUT --images 8   # the same with fewer images a prompt
    python -m tests.benchmarks.full_attack RUN OUT --curve      # writes the shipped curve from the stored outcome

RUN is a finished demo run, which stays as it is. OUT is a copy of it without its attack; a search that was stopped goes
on, and prompts that the list has gained since are attacked alone. The outcome (prompt_id, verified, images) lies in
`full_attack.csv` beside this file, so that the benchmark need not wait for it; SCANNER_FULL_ATTACK=1 makes it again.

Steps of the search and the threshold are those of the demo's own attack; what it accepts is generated again at full
steps and judged as there. `verified` is a verdict of matching, template or retrieved.
"""

import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import polars as pl

import scanner.prompts
from pipelines.demo import ATTACK
from pipelines.engines import LocalEngine
from pipelines.rounds import Arm, Protocol
from pipelines.search import Prompt, Search
from pipelines.verification import open_originals, write_hits
from scanner.attack import ByOriginals, Generator, Sampling
from scanner.demo import target_folder
from scanner.prompts import measure_curve
from scanner.run import Run, write_json
from scanner.tables import HITS, MEMBERS, PROMPTS, VERIFIED
from scanner.targets import load_target
from scanner.verify import AgreementThreshold

OUTCOME = Path(__file__).with_name("full_attack.csv")
IMAGES = 500
SEARCH_STEPS = 4
ROUNDS = (2, 8, 32, 128, 500)
ATTACK_TABLES = ("generations", "hits.parquet", "candidates.parquet", "triage.parquet", "triage", "report")


def stored_outcome() -> pl.DataFrame:
    """`prompt_id, verified, images` as shipped."""
    return pl.read_csv(OUTCOME, schema={"prompt_id": pl.String, "verified": pl.Boolean, "images": pl.Int64})


def risk_prompts(run: Run) -> pl.DataFrame:
    """The risk arm by rank."""
    return run.read(PROMPTS).filter(pl.col("arm") == "risk").sort("rank")


def attack_fully(demo: Path, out: Path, images: int = IMAGES, known: pl.DataFrame | None = None) -> pl.DataFrame:
    """`prompt_id, verified, images` of every ranked prompt of the run `demo`; those of `known` are not attacked."""
    if not out.exists():
        shutil.copytree(demo, out, ignore=shutil.ignore_patterns(*ATTACK_TABLES))
    listed = risk_prompts(Run.open(demo)).select("prompt_id", "caption")
    outcome = stored_outcome().clear() if known is None else known
    missing = listed.join(outcome, on="prompt_id", how="anti", maintain_order="left")
    if len(missing):
        outcome = pl.concat([outcome, _attacked(demo, Run.open(out), missing, images)])
    return listed.select("prompt_id").join(outcome, on="prompt_id", maintain_order="left")


def _attacked(demo: Path, run: Run, missing: pl.DataFrame, images: int) -> pl.DataFrame:
    threshold = Run.open(demo).manifest()["parts"]["attack"]["normalised_threshold"]["value"]
    prompts = tuple(Prompt(prompt_id=key, caption=caption) for key, caption in missing.iter_rows())
    target, engine = load_target(str(target_folder())), LocalEngine()
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    originals = open_originals(run, target, group_of, engine)

    def generator(steps: int) -> Generator:
        return Generator(target, originals, Sampling(run_seed=ATTACK.seed, steps=steps, guidance=ATTACK.guidance))

    schedule = tuple(total for total in ROUNDS if total <= images)
    arm = Arm(
        name=f"full-{missing['prompt_id'][0]}",  # other prompts, other files
        prompts=prompts,
        search=Search(run, engine, generator),
        rule=ByOriginals(group_of=group_of, most=ATTACK.evidence, chase=images, ceiling=threshold),
        protocol=Protocol(
            schedule=schedule,
            search_steps=(SEARCH_STEPS,) * len(schedule),
            steps=ATTACK.steps,
            focus=1,
            look_rate=ATTACK.look_rate,
            record=2,
        ),
        limits=[threshold] * len(schedule),
    )
    arm.run()
    level = AgreementThreshold(value=threshold, ceiling=threshold, rate=1.0, controls=0, passing=0)
    write_hits(run, arm.search, originals, prompts, (), level, None)
    return outcome_of(run, missing["prompt_id"], images)


def outcome_of(run: Run, prompts: pl.Series, images: int) -> pl.DataFrame:
    """What the hits table of an attack with so many images says of these prompts."""
    verified = run.read(HITS).filter(pl.col("verdict").is_in(VERIFIED))["prompt_id"]
    found = pl.DataFrame({"prompt_id": prompts, "verified": prompts.is_in(verified.implode())})
    return found.with_columns(images=pl.lit(images, dtype=pl.Int64))


def write_curve(run: Run, outcome: pl.DataFrame) -> None:
    """The curve that ships, from this outcome."""
    images = int(outcome["images"].max())  # type: ignore[arg-type]
    curve = measure_curve(
        risk_prompts(run),
        outcome,
        target="demo target, 64 px",
        protocol=f"the demo's own prompts, up to {images} images each, two of which agree on one original",
    )
    write_json(Path(scanner.prompts.__file__).with_name("demo-curve.json"), asdict(curve))


def main(demo: Path, out: Path, images: int) -> None:
    outcome = attack_fully(demo, out, images)
    outcome.sort("prompt_id").write_csv(OUTCOME)
    print(f"{int(outcome['verified'].sum())} of {len(outcome)} prompts verified")


if __name__ == "__main__":
    if "--curve" in sys.argv:
        write_curve(Run.open(Path(sys.argv[1])), stored_outcome())
    else:
        wanted = int(sys.argv[sys.argv.index("--images") + 1]) if "--images" in sys.argv else IMAGES
        main(Path(sys.argv[1]), Path(sys.argv[2]), wanted)
