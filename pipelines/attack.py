"""The attack recipe: prompts → triage → images in rounds → full-step evidence → verification against all originals.

    scanner attack RUN --target MODEL

Order matters: the control arm is attacked first, in full, because every threshold is read off it. Then the risk
prompts that passed triage are attacked in rounds that stop early. What either arm's search accepts is generated
again at full steps, and only that evidence is judged.
"""

from dataclasses import asdict, dataclass

import polars as pl

from pipelines.candidates import write_candidates
from pipelines.configs import AttackOptions, TargetOptions
from pipelines.engines import LocalEngine
from pipelines.fetching import fetch_originals
from pipelines.search import Prompt, Search, Searched
from pipelines.targets import open_target
from pipelines.triage import detectors_of, triage
from pipelines.unconditional import attack_unconditional
from pipelines.verification import open_originals, originals_missing, stored_images, write_hits
from scanner.attack import EVIDENCE_FIRST, Generator, Rounds, Sampling
from scanner.errors import UnusableInputError
from scanner.prompts import list_checksum
from scanner.run import Run
from scanner.tables import MEMBERS, PROMPTS
from scanner.targets import is_unconditional
from scanner.verify import NORMALISED_CEILING, AgreementThreshold, agreement_threshold

_AS_IS = TargetOptions()


@dataclass(frozen=True, kw_only=True)
class Arms:
    """The prompts of an attack."""

    risk: tuple[Prompt, ...]
    """Riskiest first."""
    control: tuple[Prompt, ...]
    """In the order they were drawn."""


def attack(run: Run, model: str, config: AttackOptions, engine: LocalEngine, options: TargetOptions = _AS_IS) -> None:
    """Attack the prompts of an audited run: every table of it is written, and the attack's part of the manifest.

    Raises UnusableInputError before anything is written when the run has no prompts, its data set is gone, the
    target can't be loaded, or the run holds an attack under another configuration.
    """
    if "audit" not in run.manifest().get("parts", {}):
        raise UnusableInputError(f"The audit in {run.path} is not finished; give the same `scanner audit` again first.")
    if is_unconditional(model):
        attack_unconditional(run, model, config, engine, options)
        return
    arms = _arms(run, config)
    stored_images(run, fetch=config.fetch)
    target = open_target(model, options)
    detectors = detectors_of(target, config)
    run.claim_part(
        "attack",
        asdict(config)
        | asdict(options)
        | {
            "target": model,
            "target_checksum": target.checksum,
            "transform": asdict(target.transform),
            "prompt_list": _checksum(run, config),
        },
    )
    suspicious, triage_threshold = triage(run, detectors, arms.risk, arms.control, config)
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    fetched = fetch_originals(run, (*suspicious, *arms.control), engine.progress) if config.fetch else 0
    originals = open_originals(run, target, group_of, engine)
    search = Search(run, engine, lambda steps: Generator(target, originals, _sampling(config, steps)), group_of)
    searched, threshold = _search(search, suspicious, arms.control, config)
    edge = write_candidates(search, searched, config)
    write_hits(run, search, originals, searched, threshold.value)
    run.finish(
        "attack",
        {
            "normalised_threshold": asdict(threshold),
            "triage_threshold": triage_threshold,
            "edge_threshold": edge,
            "schedule": _schedule(config),
            "prompts_tried": len(arms.risk),
            "prompts_attacked": len(suspicious),
            "controls_attacked": len(arms.control),
            "originals_missing": originals_missing(run, originals),
            "originals_fetched": fetched,
        },
    )


def _search(
    search: Search, suspicious: tuple[Prompt, ...], control: tuple[Prompt, ...], config: AttackOptions
) -> tuple[Searched, AgreementThreshold]:
    """Controls in full, the threshold they give, risk prompts in rounds, and evidence of all that is accepted."""
    schedule = _schedule(config)
    steps = config.steps if config.exhaustive else config.search_steps
    search.make("control", control, first=0, count=schedule[-1], steps=steps)
    begun = search.agreements(control, threshold=0)  # the smallest distance at which any agreement begins
    distances = [begun[p.prompt_id].distance if p.prompt_id in begun else None for p in control]
    threshold = agreement_threshold(distances, ceiling=NORMALISED_CEILING, rate=config.false_positive_rate)

    accepted = search.rounds("risk", suspicious, schedule, steps=steps, threshold=threshold.value)
    accepted |= {prompt: agreed for prompt, agreed in begun.items() if agreed.distance <= threshold.value}
    searched = Searched(attacked=(*suspicious, *control), control=control, accepted=accepted)
    proven = [prompt for prompt in searched.attacked if prompt.prompt_id in accepted]
    search.make("evidence", proven, first=EVIDENCE_FIRST, count=config.evidence, steps=config.steps)
    return searched, threshold


def _arms(run: Run, config: AttackOptions) -> Arms:
    table = run.read(PROMPTS)

    def first(arm: str, count: int) -> tuple[Prompt, ...]:
        rows = table.filter(pl.col("arm") == arm).sort("rank").head(count)
        return tuple(Prompt(prompt_id=p, caption=c) for p, c in rows.select("prompt_id", "caption").iter_rows())

    arms = Arms(risk=first("risk", config.prompts), control=first("control", config.control))
    if not arms.risk:
        raise UnusableInputError(
            f"{run.path} has no risk prompts (no duplicated image with a caption), so there is nothing to attack."
        )
    if not arms.control:
        raise UnusableInputError(
            f"{run.path} has no control prompts, and no threshold can be set without; audit a larger part of the set."
        )
    return arms


def _checksum(run: Run, config: AttackOptions) -> str:
    """Of the prompts in their order. Raises UnusableInputError when the attack began with others."""
    checksum = list_checksum(run.read(PROMPTS), risk=config.prompts, control=config.control)
    begun = run.part_config("attack")
    alike = begun is not None and (begun["prompts"], begun["control"]) == (config.prompts, config.control)
    if begun is not None and alike and begun["prompt_list"] != checksum:
        raise UnusableInputError(
            f"The prompts of {run.path} have changed since its attack began; audit into another directory and attack "
            "that."
        )
    return checksum


def _schedule(config: AttackOptions) -> tuple[int, ...]:
    """Images a risk prompt has after each round of the search."""
    if config.exhaustive:
        return (config.seeds,)
    rounds = Rounds(rate=config.rate, miss=config.miss).schedule()
    return tuple(sorted({min(total, config.seeds) for total in rounds}))


def _sampling(config: AttackOptions, steps: int) -> Sampling:
    return Sampling(run_seed=config.seed, steps=steps, guidance=config.guidance)
