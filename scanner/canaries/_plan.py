"""How many canaries are planted how often: `8x5,32x5,128x5` is five canaries at each of 8, 32 and 128 copies.

>>> parse_plan("8x2,32x1")
(8, 8, 32)
"""

import re

from scanner.errors import UnusableInputError

MOST_ROWS = 1_000_000
"""Rows that a plan may have; more is taken for a slip."""


def parse_plan(plan: str) -> tuple[int, ...]:
    """The copies of every canary, in the order of the plan.

    Raises UnusableInputError for anything but COPIESxCANARIES, comma separated, of at least 1 each.
    """
    found: list[int] = []
    for part in plan.split(","):
        numbers = re.fullmatch(r"\s*(\d{1,7})\s*[x×]\s*(\d{1,7})\s*", part)
        copies, canaries = map(int, numbers.groups()) if numbers else (0, 0)
        if min(copies, canaries) < 1:
            raise UnusableInputError(
                f"--plan {plan} can't be read at '{part.strip()}'; give COPIESxCANARIES, comma separated, such as "
                "8x5,32x5."
            )
        if sum(found) + copies * canaries > MOST_ROWS:
            raise UnusableInputError(f"--plan {plan} makes more than {MOST_ROWS:,} rows; plant fewer.")
        found += [copies] * canaries
    return tuple(found)
