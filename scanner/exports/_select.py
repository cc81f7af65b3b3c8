"""Which prompts an export is about: by arm, class of risk, risk, rank, and verdict once attacked.

A list of rows is filtered by the same means: it is then about the groups of the prompts that are left.
"""

from dataclasses import dataclass

import polars as pl

from scanner.errors import UnusableInputError
from scanner.prompts import BOUNDARIES, risk_class

ARMS = ("risk", "control")
ATTACK_OUTCOMES = ("matching", "template", "retrieved", "none")
"""What the hits table says of an attacked prompt: the verdicts of something found, and none."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is asked of a prompt; an empty condition holds for all."""

    arms: tuple[str, ...] = ("risk",)
    """risk, control."""
    classes: tuple[str, ...] = ()
    """high, medium, low; control prompts have none."""
    least_risk: float = 0.0
    """Smallest risk, 0 to 1."""
    verdicts: tuple[str, ...] = ()
    """matching, template, retrieved, none; prompts that were not attacked have none of these."""
    ranks: tuple[int, int | None] = (1, None)
    """First and last rank inside an arm; None: to the end."""

    def __post_init__(self) -> None:
        _refuse_unknown("arm", self.arms, ARMS)
        _refuse_unknown("class of risk", self.classes, tuple(BOUNDARIES))
        _refuse_unknown("verdict", self.verdicts, ATTACK_OUTCOMES)
        first, last = self.ranks
        if first < 1 or (last is not None and last < first):
            raise UnusableInputError("Ranks begin at 1 and the last is not before the first, as in 1-100 or 101-.")
        if not 0 <= self.least_risk <= 1:
            raise UnusableInputError(f"A risk lies between 0 and 1, not at {self.least_risk}.")

    @property
    def narrows(self) -> bool:
        """Whether it leaves out any prompt of its arms."""
        return bool(self.classes or self.verdicts or self.least_risk or self.ranks != (1, None))


def select_prompts(prompts: pl.DataFrame, hits: pl.DataFrame | None, selection: Selection) -> pl.DataFrame:
    """The prompts that the selection is about, by arm (risk first) and rank, with their `verdict` where attacked.

    `prompts` and `hits` are the tables of that name; `hits` is None before an attack. Raises UnusableInputError when
    verdicts are asked for and there are none.
    """
    if selection.verdicts and hits is None:
        raise UnusableInputError("There are no verdicts before an attack; run `scanner attack` first.")
    verdicts = pl.DataFrame(schema={"prompt_id": pl.String, "verdict": pl.String}) if hits is None else hits
    first, last = selection.ranks
    wanted = [pl.col("arm").is_in(selection.arms), pl.col("rank") >= first, pl.col("risk") >= selection.least_risk]
    wanted += [] if last is None else [pl.col("rank") <= last]
    wanted += [pl.col("verdict").is_in(selection.verdicts)] if selection.verdicts else []
    found = prompts.join(verdicts.select("prompt_id", "verdict"), on="prompt_id", how="left").filter(wanted)
    if selection.classes:
        classes = pl.Series([risk_class(risk) for risk in found["risk"]], dtype=pl.String)
        found = found.filter((pl.col("arm") == "risk") & classes.is_in(selection.classes))
    return found.sort(pl.col("arm") != "risk", "rank")


def _refuse_unknown(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise UnusableInputError(f"There is no {what} '{name}'; use one of {', '.join(known)}.")
