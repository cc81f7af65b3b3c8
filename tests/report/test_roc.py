"""The area under the ROC is the share of pairs in the right order, ties counting half."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.report import auc

SCORES = st.lists(st.integers(0, 6).map(float), max_size=12).map(np.array)


@given(SCORES, SCORES)
def test_auc_is_the_share_of_ordered_pairs(positives, negatives):
    pairs = [(p > n) + 0.5 * (p == n) for p in positives for n in negatives]
    found = auc(positives, negatives)
    assert found == (None if not pairs else np.mean(pairs)) or abs(found - np.mean(pairs)) < 1e-12
