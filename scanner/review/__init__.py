"""Review by eye: what there is to look at, decisions kept by content, agreement of reviewers, counts for the report.

>>> from scanner.review import count_reviews
>>> count_reviews(Run.open(Path("RUN")))                                     # doctest: +SKIP
"""

from scanner.review._agreement import Agreement, agree, agreements
from scanner.review._carry import take_over
from scanner.review._counts import (
    DISPUTED,
    UNREVIEWED,
    Judged,
    Review,
    Reviewed,
    count_reviews,
    judge_items,
    outcomes,
    summarise_reviews,
    together,
)
from scanner.review._decisions import (
    ACCEPTED,
    DECISIONS,
    LONGEST_NOTE,
    REJECTED,
    UNSURE,
    WITHDRAWN,
    read_decisions,
    reviewer_name,
    standing,
)
from scanner.review._items import GROUP, HIT, KINDS, MEMORISED, UNVERIFIED, list_items
from scanner.review._journal import Journal
from scanner.review._keys import group_key, pair_key
from scanner.review._made import MadeImages
from scanner.review._pictures import AMPLIFIED, Original, Pictures, difference
from scanner.review._show import ShownGeneration, ShownGroup, ShownPair, ShownSample, show_group, show_pair

__all__ = [
    "ACCEPTED",
    "AMPLIFIED",
    "DECISIONS",
    "DISPUTED",
    "GROUP",
    "HIT",
    "KINDS",
    "LONGEST_NOTE",
    "MEMORISED",
    "REJECTED",
    "UNREVIEWED",
    "UNSURE",
    "UNVERIFIED",
    "WITHDRAWN",
    "Agreement",
    "Journal",
    "Judged",
    "MadeImages",
    "Original",
    "Pictures",
    "Review",
    "Reviewed",
    "ShownGeneration",
    "ShownGroup",
    "ShownPair",
    "ShownSample",
    "agree",
    "agreements",
    "count_reviews",
    "difference",
    "group_key",
    "judge_items",
    "list_items",
    "outcomes",
    "pair_key",
    "read_decisions",
    "reviewer_name",
    "show_group",
    "show_pair",
    "standing",
    "summarise_reviews",
    "take_over",
    "together",
]
