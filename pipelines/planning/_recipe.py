"""The recipe of a plan: what is planned → what is known of it → a timed warm-up → sections.

A run tells its prompts, arms, classes and pictures. A number of rows tells nothing but itself: its groups are unknown
until it is audited, so that its prompts are as many as are asked for. Nothing is written anywhere.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from pipelines.amounts import rows_of
from pipelines.configs import AttackOptions, PlanOptions, TargetOptions
from pipelines.planning._attack import attack_sections
from pipelines.planning._audit import audit_section
from pipelines.planning._figures import Plan, Section
from pipelines.planning._memory import Held, memory_section
from pipelines.planning._originals import Pictures, count_originals, time_originals
from pipelines.planning._outlook import Outlook
from pipelines.planning._process import resident
from pipelines.planning._protocol import has_triage, kinds_of, protocol_of, unclassed_kinds, unguided_or_guided
from pipelines.planning._warm_up import WarmUp, ask_few, is_hosted, warm_up, weight_bytes
from pipelines.targets import open_target
from pipelines.triage import detectors_of
from pipelines.verification import distinct_pictures
from scanner.attack import RiskKind
from scanner.errors import UnusableInputError
from scanner.prompts import CURVE_FILE, Curve, read_curve, shipped_curve
from scanner.run import Run
from scanner.tables import PROMPTS
from scanner.targets import DiffusersTarget, StoredTarget, Target


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is planned."""

    name: str
    """The run, or the number of rows."""
    kinds: tuple[RiskKind, ...]
    """Risk prompts."""
    control: int
    """Control prompts."""
    curve: Curve
    """Where the expected share comes from."""
    pictures: Pictures
    """Originals."""
    places: pl.DataFrame | None
    """Where they lie; None for rows that are not audited yet."""
    run: Run | None
    """The run; None for rows."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A target that is there, and what it was seen to take."""

    target: Target
    """The target."""
    held: Held
    """Its memory."""
    triage: float
    """Evaluations of its detectors on one prompt."""
    warm: WarmUp | None
    """Its times."""
    image_price: float | None
    """Price of one of its images; None where none is given."""


def plan(what: str, model: str | None, config: AttackOptions, options: PlanOptions, loading: TargetOptions) -> Plan:
    """Plan the attack on a finished audit, or audit and attack of so many rows.

    Raises UnusableInputError when `what` is neither a run nor a number of rows, and as an attack would.
    """
    subject = _subject(what, config)
    config = _with_control(config, subject.control)
    loaded = None if model is None else _load(model, config, options, loading)
    outlook = _outlook(subject, loaded, config, options)
    sections = list[Section]()
    if subject.run is None:
        sections.append(audit_section(subject.pictures.distinct, options))
    sections += attack_sections(outlook)
    if loaded is not None:
        sections.append(memory_section(outlook, loaded.held))
    return Plan(
        subject=_said(subject, model, outlook), sections=tuple(sections), notes=_notes(subject, loaded, outlook)
    )


def _said(subject: Subject, model: str | None, outlook: Outlook) -> str:
    """What is planned, in one line."""
    against = "" if model is None else f" of {model}"
    where = "" if outlook.where is None or outlook.hosted else f", on {outlook.where}"
    if subject.run is None:
        return f"Plan of the audit of {subject.name} and of an attack{against}{where}"
    return f"Plan of an attack{against} with {subject.name}{where}"


def _subject(what: str, config: AttackOptions) -> Subject:
    if Path(what).exists():
        return _run_subject(Run.open(Path(what)), config)
    rows = rows_of(what)
    if rows is None:
        raise UnusableInputError(
            f"{what} is neither a run directory nor a number of rows; give a finished audit, or rows as 2e9 or 100M."
        )
    curve = shipped_curve()
    return Subject(
        name=f"{rows:,} rows",
        kinds=unclassed_kinds(config.prompts, curve),
        control=config.control,
        curve=curve,
        pictures=Pictures(distinct=rows, by_url=False),
        places=None,
        run=None,
    )


def _run_subject(run: Run, config: AttackOptions) -> Subject:
    if "audit" not in run.manifest().get("parts", {}):
        raise UnusableInputError(f"The audit in {run.path} is not finished; give the same `scanner audit` again first.")
    table = run.read(PROMPTS)
    classes = table.filter(pl.col("arm") == "risk").sort("rank").head(config.prompts)["risk_class"].to_list()
    controls = min(config.control, table.filter(pl.col("arm") == "control").height)
    for arm, prompts in (("risk", len(classes)), ("control", controls)):
        if not prompts:
            raise UnusableInputError(f"{run.path} has no {arm} prompts, and an attack needs both arms.")
    curve = read_curve(run.path / CURVE_FILE) if (run.path / CURVE_FILE).exists() else shipped_curve()
    places = distinct_pictures(run)
    return Subject(
        name=str(run.path),
        kinds=kinds_of(classes, curve),
        control=controls,
        curve=curve,
        pictures=count_originals(run, places),
        places=places,
        run=run,
    )


def _with_control(config: AttackOptions, control: int) -> AttackOptions:
    """The options with as many controls as there are."""
    return replace(config, control=control)


def _load(model: str, config: AttackOptions, options: PlanOptions, loading: TargetOptions) -> Loaded:
    target = open_target(model, loading)
    if isinstance(target, StoredTarget):
        raise UnusableInputError(f"The images of {model} are there already; an attack on them has no cost to plan.")
    device = target.settings.device if isinstance(target, DiffusersTarget) else "cpu"
    process = resident()
    triage = sum(detector.evaluations for detector in detectors_of(target, config, _nothing_near))
    held = Held(
        device=device,
        size=target.transform.size,
        batch=target.batch,
        weights=weight_bytes(target),
        process=process,
    )
    warm, seconds = None, options.warm_up_seconds
    if not is_hosted(target):
        warm = warm_up(target, device=device, guidance=config.guidance, seconds=seconds)
    elif options.warm_up:
        warm = ask_few(target, steps=config.steps, guidance=config.guidance)
    return Loaded(target=target, held=held, triage=triage, warm=warm, image_price=loading.api_price)


def _nothing_near(images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Stands for the originals, of which the number of evaluations does not depend."""
    return np.full(len(images), np.inf)


def _outlook(subject: Subject, loaded: Loaded | None, config: AttackOptions, options: PlanOptions) -> Outlook:
    warm = None if loaded is None else loaded.warm
    per_image = None if warm is None else warm.per_image
    triage = 0.0 if loaded is None else loaded.triage
    originals = None
    if subject.run is not None and subject.places is not None and loaded is not None and warm is not None:
        originals = time_originals(subject.run, subject.places, loaded.target, warm.pictures)
    protocol = protocol_of(
        config, triage=triage, per_image=unguided_or_guided(config.guidance) if per_image is None else per_image
    )
    return Outlook(
        config=config,
        options=options,
        image_price=None if loaded is None else loaded.image_price,
        protocol=protocol,
        kinds=subject.kinds,
        hosted=loaded is not None and is_hosted(loaded.target),
        where=None if loaded is None else _where(loaded),
        triage=f"{100 * protocol.passing:.3g} % of the others pass triage" if has_triage(config) else "no triage",
        warm=warm,
        pictures=subject.pictures,
        originals=originals,
    )


def _where(loaded: Loaded) -> str:
    """The device, in words."""
    if is_hosted(loaded.target):
        return loaded.target.name
    if loaded.held.device.startswith("cuda"):
        return torch.cuda.get_device_name(loaded.held.device)
    return f"{loaded.held.device}, {torch.get_num_threads()} of {os.cpu_count()} cores"


def _notes(subject: Subject, loaded: Loaded | None, outlook: Outlook) -> tuple[str, ...]:
    shares = ", ".join(f"{kind.verified:.0%} of {kind.prompts:,}" for kind in outlook.kinds)
    notes = [
        f"Expected: the model gives back {shares} risk prompts, as an attack measured on {subject.curve.target!r}; "
        "another model may give back far fewer.",
        "Least: no prompt passes triage, or without triage each is decided in the first round. Most: each passes and "
        "is accepted in the last round.",
        "Not counted: starting, clustering, verdicts and the report.",
    ]
    if subject.run is None:
        notes.append(
            "How many duplicate groups, and so prompts, the rows hold is not known before the audit; --prompts stands "
            "in for them."
        )
    elif subject.pictures.by_url:
        notes.append("Originals known by their addresses alone are fetched for the attacked prompts; not counted.")
    if outlook.hosted:
        notes.append("A request is one image; requests that fail and are made again are not counted.")
    if loaded is not None and loaded.warm is None:
        notes.append(f"No request was sent to {loaded.target.name}, since requests cost money; --warm-up sends a few.")
    if loaded is not None and loaded.warm is not None:
        notes.append("Times are those of this machine as it was just now, beside whatever else it does.")
    return tuple(notes)
