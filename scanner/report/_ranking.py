"""The prompt ranking as a whole: its classes with their boundaries, what a measured curve says of them, what it covers.

>>> count_ranking(Run.open(Path("RUN")), frame).classes[0].least             # doctest: +SKIP
0.5
"""

import polars as pl

from scanner.prompts import BOUNDARIES, Curve, Measured, read_curve, shipped_curve
from scanner.prompts import CURVE_FILE as FILE
from scanner.report._findings import Coverage, Quoted, Ranking
from scanner.report._intervals import rate
from scanner.report._records import CoverageStep, LeftOut, RiskClass
from scanner.run import Run
from scanner.tables import GROUPS, LEFT_OUT, PROMPTS

LISTED_LEFT_OUT = 100


def count_ranking(run: Run, frame: pl.DataFrame) -> Ranking | None:
    """From `prompt_frame`; None where there are no prompts with a class: in runs of before there were any."""
    risk = frame.filter(pl.col("arm") == "risk")
    if risk["risk_class"].null_count() == len(risk):
        return None
    curve = read_curve(run.path / FILE) if (run.path / FILE).exists() else shipped_curve()
    quoted = {one.name: one for one in curve.classes}
    return Ranking(
        classes=tuple(
            _class(name, least, risk.filter(pl.col("risk_class") == name), quoted.get(name), run)
            for name, least in BOUNDARIES.items()
        ),
        quoted=_quoted(curve),
        coverage=_coverage(run),
        left_out=_left_out(run),
    )


def _class(name: str, least: float, prompts: pl.DataFrame, quoted: Measured | None, run: Run) -> RiskClass:
    tried = int(prompts["tried"].sum())
    groups = GROUPS.scan(run.path).filter(pl.col("group_id").is_in(prompts["group_id"].drop_nulls().implode()))
    return RiskClass(
        name=name,
        least=least,
        prompts=len(prompts),
        rows=int(groups.select(pl.col("copies").sum()).collect().item() or 0),
        measured=rate(int(prompts["hit"].sum()), tried) if tried else None,
        quoted=rate(quoted.verified, quoted.tried) if quoted is not None and quoted.tried else None,
    )


def _quoted(curve: Curve) -> Quoted:
    return Quoted(
        target=curve.target,
        protocol=curve.protocol,
        copies=tuple((one.name, rate(one.verified, one.tried)) for one in curve.copies if one.tried),
    )


def _coverage(run: Run) -> Coverage | None:
    """As the audit counted it; None while it is not finished."""
    stated = run.manifest().get("parts", {}).get("audit", {}).get("coverage")
    if stated is None:
        return None
    steps = tuple(CoverageStep(**step) for step in stated["steps"])
    return Coverage(**(stated | {"steps": steps}))


def _left_out(run: Run) -> tuple[LeftOut, ...]:
    """The largest groups that no prompt stands for, with the caption that another prompt has."""
    largest = LEFT_OUT.scan(run.path).sort("copies", "group_id", descending=[True, False]).head(LISTED_LEFT_OUT)
    captions = PROMPTS.scan(run.path).filter(pl.col("arm") == "risk").select("prompt_id", "rank", "caption")
    rows = largest.join(captions, on="prompt_id", how="left").collect()
    ordered = rows.sort("copies", "group_id", descending=[True, False])
    return tuple(LeftOut(**row) for row in ordered.select(_LEFT_OUT).iter_rows(named=True))


_LEFT_OUT = ("group_id", "copies", "reason", "prompt_id", "rank", "caption")
