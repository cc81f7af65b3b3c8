"""How far two reviewers agree: Cohen's kappa (1960, https://doi.org/10.1177/001316446002000104).

kappa = (observed − expected) / (1 − expected), where `expected` is the agreement of two who decide independently, each
as often for each answer as this one does. 1: always; 0: as by chance; it has no value where chance alone agrees always
(both gave one and the same answer throughout).

    >>> agree("ada", {"a": "accepted", "b": "rejected"}, "bo", {"a": "accepted", "b": "rejected", "c": "unsure"}).kappa
    1.0
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import polars as pl


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Two reviewers on the items that both judged."""

    first: str
    """A reviewer."""
    second: str
    """Another."""
    both: int
    """Items that both judged."""
    same: int
    """Of these, those that they judged alike."""
    share: float | None
    """same / both; None where they share no item."""
    kappa: float | None
    """Cohen's kappa, −1 to 1; None where they share no item, or gave one and the same answer to all."""


def agree(first: str, ones: Mapping[str, str], second: str, others: Mapping[str, str]) -> Agreement:
    """The agreement of two reviewers, each given as item → decision."""
    pairs = [(decision, others[item]) for item, decision in ones.items() if item in others]
    both, same = len(pairs), sum(one == other for one, other in pairs)
    return Agreement(
        first=first, second=second, both=both, same=same, share=same / both if both else None, kappa=_kappa(pairs)
    )


def _kappa(pairs: list[tuple[str, str]]) -> float | None:
    both, same = len(pairs), sum(one == other for one, other in pairs)
    left, right = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(left[answer] * right[answer] for answer in left)  # expected agreement × both²: whole numbers
    if by_chance == both * both:
        return None
    return (same * both - by_chance) / (both * both - by_chance)


def agreements(decisions: pl.DataFrame) -> tuple[Agreement, ...]:
    """Every two reviewers who share an item, by name; `decisions` are those that hold."""
    by: dict[str, dict[str, str]] = {}
    for reviewer, item, decision in decisions.select("reviewer", "item", "decision").iter_rows():
        by.setdefault(reviewer, {})[item] = decision
    found = (agree(first, by[first], second, by[second]) for first, second in combinations(sorted(by), 2))
    return tuple(one for one in found if one.both)
