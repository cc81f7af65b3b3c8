"""Measured curves: of the prompts of each risk class, and of each range of copies, how many a model gave back.

A curve says what one attack on one target found, and is quoted under that target's name. One ships with the scanner:
`demo-curve.json`, measured on the demo's own target (64 × 64 pixels, trained on 4,800 rows for many epochs). It was
made by `measure_curve` from the run and the outcome of `tests/benchmarks/full_attack.py`, which says how to make it
again. Another one is read from the report of any attacked run.

>>> shipped_curve().target
'demo target, 64 px'
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from scanner.errors import UnusableInputError
from scanner.prompts._classes import BOUNDARIES

BUCKETS = ((2, 3), (4, 7), (8, 15), (16, 31), (32, 63), (64, 127), (128, None))
"""Ranges of copies, by doubling; the last one is open."""
FILE = "curve.json"
"""In a run directory: the curve that its report quotes."""


def bucket_label(low: int, high: int | None) -> str:
    """`2–3` or `128+`."""
    return f"{low}+" if high is None else f"{low}–{high}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One class or range of a curve."""

    name: str
    """high, medium or low; or a range of copies: 2–3, ..."""
    tried: int
    """Prompts of it that were tried."""
    verified: int
    """Of these, those verified: matching, template or retrieved."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What an attack on one target found."""

    target: str
    """Name of the target, under which the curve is quoted."""
    protocol: str
    """What was done, in a few words."""
    classes: tuple[Measured, ...]
    """By risk class, highest first."""
    copies: tuple[Measured, ...]
    """By copies of the prompt's group, fewest first."""


def measure_curve(prompts: pl.DataFrame, outcome: pl.DataFrame, target: str, protocol: str) -> Curve:
    """The curve of an attacked list: rows of `scanner.tables.PROMPTS` (the risk arm counts) and, for each prompt that
    was tried, `prompt_id` and `verified` (Boolean)."""
    tried = prompts.filter(pl.col("arm") == "risk").join(outcome.select("prompt_id", "verified"), on="prompt_id")
    copies = pl.col("copies")
    ranges = {bucket_label(low, high): copies.is_between(low, high or 2**62) for low, high in BUCKETS}
    return Curve(
        target=target,
        protocol=protocol,
        classes=tuple(_measured(name, tried.filter(pl.col("risk_class") == name)) for name in BOUNDARIES),
        copies=tuple(_measured(name, tried.filter(inside)) for name, inside in ranges.items()),
    )


def _measured(name: str, tried: pl.DataFrame) -> Measured:
    return Measured(name=name, tried=len(tried), verified=int(tried["verified"].sum()))


def shipped_curve() -> Curve:
    """The one measured on the demo's target."""
    return _curve(json.loads(resources.files("scanner.prompts").joinpath("demo-curve.json").read_text("utf-8")))


def read_curve(path: Path) -> Curve:
    """Of an attacked run (its directory or its report.json), or of a file that holds a curve.

    Raises UnusableInputError when there is none, or the run has attacked no prompt with a risk class.
    """
    file = path / "report" / "report.json" if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = _of_report(content) if "ranking" in content or "schema_version" in content else _curve(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableInputError(
            f"{file} holds no measured curve; name an attacked run, or its report.json as `scanner report` writes it."
        ) from error
    if not any(one.tried for one in found.classes):
        raise UnusableInputError(
            f"{file} has tried no prompt that has a risk class; audit that set again, attack it, and name that run."
        )
    return found


def _curve(content: Mapping[str, Any]) -> Curve:
    classes, copies = (tuple(Measured(**one) for one in content[part]) for part in ("classes", "copies"))
    return Curve(target=content["target"], protocol=content["protocol"], classes=classes, copies=copies)


def _of_report(content: Mapping[str, Any]) -> Curve:
    """From the JSON of a report (schema 1.4 and later): what its own attack measured."""
    ranking = content["ranking"] or {"classes": []}
    return Curve(
        target=str(content["target"]),
        protocol=f"attack of {content['dataset']}",
        classes=tuple(_rates((one["name"], one["measured"]) for one in ranking["classes"])),
        copies=tuple(_rates((one["label"], one["verified"]) for one in content["curve"] if one["arm"] == "risk")),
    )


def _rates(rates: Iterable[tuple[str, Mapping[str, int] | None]]) -> Iterable[Measured]:
    for name, rate in rates:
        known = rate or {"tried": 0, "hits": 0}
        yield Measured(name=name, tried=known["tried"], verified=known["hits"])
