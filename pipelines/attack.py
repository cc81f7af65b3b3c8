"""The attack recipe: prompts → triage → images in rounds → full-step evidence → verification against all originals.

    scanner attack RUN --target MODEL

Both arms go through the same rounds (`pipelines.rounds`), the control arm first: what it shows sets how near a search
image must be to be looked at, and how near full-step images must be to count, so that the false-positive rate is that
of the protocol as it ran. Then the risk prompts that passed triage are attacked. A budget that is used up ends the
attack there: what was found is verified, and the same command with a larger budget goes on.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from pipelines.candidates import write_candidates
from pipelines.configs import AttackOptions, TargetOptions
from pipelines.copies import open_copy_model, with_copy_model
from pipelines.engines import LocalEngine
from pipelines.faces import look_for_faces, wants_faces
from pipelines.fetching import fetch_originals
from pipelines.kept_images import drop_images
from pipelines.rounds import Arm, Protocol
from pipelines.search import Prompt, Search
from pipelines.targets import facts, forget_answers, open_target, with_images
from pipelines.triage import detectors_of, nearest_originals, triage
from pipelines.unconditional import attack_unconditional
from pipelines.verification import copy_similarity_of, open_originals, originals_missing, stored_images, write_hits
from scanner.attack import BudgetSpent, ByClique, ByOriginals, Generator, Rounds, Rule, Sampling, Spending
from scanner.errors import ScannerError, UnusableInputError
from scanner.prompts import list_checksum
from scanner.run import Run
from scanner.tables import FAMILIES, HITS, MEMBERS, PROMPTS
from scanner.targets import Target, is_unconditional
from scanner.verify import EDGE_CEILING, NORMALISED_CEILING, AgreementThreshold, Originals, agreement_threshold

_AS_IS = TargetOptions()


@dataclass(frozen=True, kw_only=True)
class Arms:
    """The prompts of an attack."""

    risk: tuple[Prompt, ...]
    """Riskiest first."""
    control: tuple[Prompt, ...]
    """In the order they were drawn."""


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """Both arms after their rounds."""

    risk: Arm
    """As far as it came."""
    control: Arm
    """All of it."""
    threshold: AgreementThreshold
    """The distance at which full-step images count, as the control arm left it."""
    stopped: str | None
    """Why the risk arm ended before its rounds did."""

    def accepted(self) -> frozenset[str]:
        """Prompts of both arms whose full-step images agree within the threshold."""
        levels = self.control.levels | self.risk.levels
        return frozenset(prompt for prompt, level in levels.items() if level <= self.threshold.value)


def attack(  # noqa: PLR0913, PLR0917 - what is attacked, how, with what means
    run: Run,
    model: str,
    config: AttackOptions,
    engine: LocalEngine,
    options: TargetOptions = _AS_IS,
    spending: Spending | None = None,
) -> None:
    """Attack the prompts of an audited run: every table of it is written, and the attack's part of the manifest.

    Raises UnusableInputError before anything is written when the run has no prompts, its data set is gone, the
    target can't be loaded, or the run holds an attack under another configuration.
    """
    parts = run.manifest().get("parts", {})
    if "audit" not in parts:
        raise UnusableInputError(f"The audit in {run.path} is not finished; give the same `scanner audit` again first.")
    if is_unconditional(model):
        attack_unconditional(run, model, config, engine, options)
        return
    arms = _arms(run, config)
    if config.originals:
        stored_images(run, fetch=config.fetch)
    target = open_target(model, options, run)
    arms = Arms(risk=with_images(target, arms.risk, "risk"), control=with_images(target, arms.control, "control"))
    detectors = detectors_of(target, config, nearest_originals(run, target, config, engine))
    copy_model = open_copy_model(config, pictures=config.originals)
    run.claim_part("attack", with_copy_model(_claim(run, model, target, config, options), copy_model))
    if not parts.get("attack", {"stopped": "not begun"})["stopped"]:
        _tidy(run, target, config)  # if it was stopped there
        return
    suspicious, triage_threshold = triage(run, detectors, arms.risk, arms.control, config, engine)
    del detectors  # and what some of them hold of the originals
    tried, arms = arms.risk, replace(arms, risk=suspicious)
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    fetch = config.fetch and config.originals
    fetched = fetch_originals(run, (*arms.risk, *arms.control), engine.progress) if fetch else 0
    originals = open_originals(run, target, group_of, engine) if config.originals else None
    search = Search(run, engine, _stages(target, originals, config), spending)
    attacked = _attack_arms(search, arms, config, _rule(run, config, group_of))
    edge = write_candidates(search, attacked, config)
    if originals is None:
        HITS.write(run.path, HITS.empty())
        verified = {}
    else:
        similarity = copy_similarity_of(run, copy_model)
        template = write_hits(run, search, originals, arms.risk, arms.control, attacked.threshold, similarity)
        verified = {
            "template_threshold": asdict(template),
            "copy_similarity_by": None if similarity is None else similarity.name,
        }
    if wants_faces(run, asked=False):
        look_for_faces(run, engine)
    run.finish(
        "attack",
        {
            "normalised_threshold": asdict(attacked.threshold),
            **verified,
            "triage_threshold": triage_threshold,
            "look_limits": attacked.control.limits,
            "edge_threshold": edge,
            "schedule": _schedule(config),
            "prompts_tried": len(tried),
            "prompts_attacked": len(arms.risk),
            "controls_attacked": len(arms.control),
            "originals_missing": None if originals is None else originals_missing(run, originals),
            "originals_fetched": fetched,
            "target": facts(target),
            "stopped": attacked.stopped,
        },
    )
    if attacked.stopped is None:
        _tidy(run, target, config)


def _tidy(run: Run, target: Target, config: AttackOptions) -> None:
    """The attack is finished: what only a resumed one would need goes."""
    drop_images(run, config.keep_images)
    forget_answers(target)


def _claim(run: Run, model: str, target: Target, config: AttackOptions, options: TargetOptions) -> dict[str, Any]:
    """What a resumed attack must have in common with the one that was begun."""
    return {
        **asdict(config),
        **options.identity(),
        "target": model,
        "target_checksum": target.checksum,
        "transform": asdict(target.transform),
        "prompt_list": _checksum(run, config),
    }


def _stages(target: Target, originals: Originals | None, config: AttackOptions) -> Callable[[int], Generator]:
    def stage(steps: int) -> Generator:
        return Generator(target, originals, Sampling(run_seed=config.seed, steps=steps, guidance=config.guidance))

    return stage


def _rule(run: Run, config: AttackOptions, group_of: Mapping[int, int]) -> Rule:
    if config.originals:
        variants = run.read(FAMILIES).filter(pl.col("group_id").is_null()) if FAMILIES.exists(run.path) else None
        return ByOriginals(
            group_of=group_of,
            families=frozenset() if variants is None else frozenset(variants["sample_id"]),
            most=config.evidence,
            chase=config.chase,
            ceiling=config.agreement_l2 or NORMALISED_CEILING,
        )
    return ByClique(size=config.clique, most=config.evidence, ceiling=config.edge or EDGE_CEILING)


def _attack_arms(search: Search, arms: Arms, config: AttackOptions, rule: Rule) -> Attacked:
    """The control arm in all its rounds, the limits that it sets, and the risk arm under them."""
    schedule = _schedule(config)
    protocol = Protocol(
        schedule=schedule,
        search_steps=(config.steps,) if config.exhaustive else config.steps_of_rounds(len(schedule)),
        steps=config.steps,
        focus=config.focus,
        look_rate=config.look_rate,
        record=config.record,
    )
    arm = partial(Arm, search=search, protocol=protocol)
    given = [rule.ceiling] * len(protocol.schedule) if config.exhaustive else []
    control = arm(name="control", prompts=arms.control, rule=rule, limits=list(given))
    try:
        control.run()
        threshold = _threshold(control, rule, config)
        while threshold.value < control.rule.ceiling:
            control.tighten(threshold.value)
            threshold = _threshold(control, rule, config)
    except BudgetSpent as spent:
        raise ScannerError(
            f"{spent} It did not reach beyond the {len(arms.control)} control prompts, which every threshold is read "
            "off; give the same command with a larger --budget to go on."
        ) from spent
    risk = arm(name="risk", prompts=arms.risk, rule=replace(rule, ceiling=threshold.value), limits=list(control.limits))
    stopped = None
    try:
        risk.run()
    except BudgetSpent as spent:
        stopped = str(spent)
    return Attacked(risk=risk, control=control, threshold=threshold, stopped=stopped)


def _threshold(control: Arm, rule: Rule, config: AttackOptions) -> AgreementThreshold:
    """What the control arm leaves of the rule's ceiling. Where it leaves less, prompts that agreed between the two are
    attacked further than before, so it is asked again: the rate is that of an attack under the threshold itself."""
    distances = list(control.agreeing().values())
    if not distances:
        raise ScannerError(
            "Not one image came of any control prompt, and thresholds are read off them; the notes in the generations "
            "table say why."
        )
    return agreement_threshold(distances, ceiling=rule.ceiling, rate=config.false_positive_rate)


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
    """Images a prompt has after each round of the search."""
    if config.exhaustive:
        return (config.seeds,)
    rounds = Rounds(rate=config.rate, miss=config.miss, chase=config.chase).schedule()
    return tuple(sorted({min(total, config.seeds) for total in rounds}))
