"""Cohen's kappa against a worked example of a textbook, and against the definition."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.review import DECISIONS, agree

ANSWERS = st.lists(st.tuples(st.sampled_from(DECISIONS), st.sampled_from(DECISIONS)), max_size=12)


def as_items(answers: list[str]) -> dict[str, str]:
    return {str(n): answer for n, answer in enumerate(answers)}


def test_fifty_applications_read_twice() -> None:
    """20 both yes, 5 and 10 split, 15 both no: observed 0.7, expected 0.5, kappa 0.4."""
    pairs = [("accepted", "accepted")] * 20 + [("accepted", "rejected")] * 5
    pairs += [("rejected", "accepted")] * 10 + [("rejected", "rejected")] * 15
    ones, others = (as_items(list(side)) for side in zip(*pairs, strict=True))
    found = agree("a", ones, "b", others)
    assert (found.both, found.same, found.share) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4, abs=1e-12)


@given(ANSWERS)
def test_kappa_is_its_definition(pairs: list[tuple[str, str]]) -> None:
    found = agree("a", as_items([one for one, _ in pairs]), "b", as_items([other for _, other in pairs]))
    n = len(pairs)
    assert (found.both, found.same) == (n, sum(one == other for one, other in pairs))
    if not n:
        assert (found.share, found.kappa) == (None, None)
        return
    observed = Fraction(found.same, n)
    expected = sum(
        Fraction(sum(one == answer for one, _ in pairs), n) * Fraction(sum(other == answer for _, other in pairs), n)
        for answer in DECISIONS
    )
    if expected == 1:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx(float((observed - expected) / (1 - expected)), abs=1e-12)
        assert -1 <= found.kappa <= 1


def test_only_what_both_judged_counts() -> None:
    found = agree("a", {"x": "accepted", "y": "rejected"}, "b", {"y": "rejected", "z": "accepted"})
    assert (found.both, found.same, found.kappa) == (1, 1, None)
