"""McNemar's exact test of the same prompts in two attacks.

Only the prompts that were verified in one of the two say anything about a difference. If verification were as likely in
both, each of them would be as likely to fall on either side, so that their number on one side is binomial with a half
(McNemar 1947, https://doi.org/10.1007/BF02295996; the exact form, with no continuity correction and no large sample).

    >>> mcnemar(10, 1)
    0.01171875
"""

from scipy.stats import binom


def mcnemar(only_before: int, only_after: int) -> float | None:
    """The two-sided p-value: chance of a split at least as uneven. None where no prompt differs."""
    total = only_before + only_after
    if not total:
        return None
    return min(1.0, 2 * float(binom.cdf(min(only_before, only_after), total, 0.5)))
