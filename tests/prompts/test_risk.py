import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.prompts import concentration, copies_part, risk_score, specificity, text_part

COPIES = st.integers(1, 10**9)
PARTS = st.floats(1e-6, 1)
HALF = st.floats(0.5, 1e4)


def test_anchors() -> None:
    assert copies_part(1, 100) == 0
    assert copies_part(101, 100) == 0.5
    assert text_part(1, 1) == 1
    assert text_part(0.25, 1) == 0.5
    assert risk_score(copies=101, share=0.5, specificity=0.5, half_copies=100) == pytest.approx(0.25)


@settings(max_examples=60, deadline=None)
@given(COPIES, PARTS, PARTS, HALF)
def test_between_0_and_1(copies: int, share: float, specificity: float, half: float) -> None:
    assert 0 <= risk_score(copies=copies, share=share, specificity=specificity, half_copies=half) <= 1


@settings(max_examples=60, deadline=None)
@given(st.tuples(COPIES, COPIES), st.tuples(PARTS, PARTS), PARTS, HALF)
def test_grows_with_each(copies: tuple[int, int], parts: tuple[float, float], fixed: float, half: float) -> None:
    (fewer, more), (low, high) = sorted(copies), sorted(parts)

    def risk(copies: int, share: float, specificity: float) -> float:
        return risk_score(copies=copies, share=share, specificity=specificity, half_copies=half)

    assert risk(fewer, low, fixed) <= risk(more, low, fixed)
    assert risk(more, low, fixed) <= risk(more, high, fixed)
    assert risk(more, fixed, low) <= risk(more, fixed, high)


def test_half_of_the_rows_count_as_all_and_less_in_proportion() -> None:
    shares = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    assert concentration(shares).tolist() == pytest.approx([0, 0.2, 0.5, 1, 1, 1])
    assert specificity(shares * 40, np.full(6, 40.0)).tolist() == pytest.approx([0, 0.2, 0.5, 1, 1, 1])
