"""In which order the pairs that are proposed are looked at: the most similar first, and none that another has settled.

Looks grow with the pictures and not with the pairs: of a picture's candidates one is looked at, then two, four, ...,
and after each round the pairs whose ends were connected meanwhile, or have failed too often, are dropped.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._judge import Judge, Verdicts
from scanner.duplicates._known import Known
from scanner.duplicates._propose import Proposals

_MOST_AT_ONCE = 16
"""Candidates of a row looked at in one round, after 1, 2, 4 and 8: a copy's best one mostly settles it."""

Looked = tuple[Proposals, Verdicts]


def look_at_all(proposals: Proposals, judge: Judge, known: Known) -> Iterator[Looked]:
    """Look at every pair: hardly one settles another (a leader and its members), or a look costs nothing."""
    verdicts = judge(proposals)
    known.record(proposals.left, proposals.right, verdicts.accepted)
    yield proposals, verdicts


def settle(proposals: Proposals, judge: Judge, known: Known) -> Iterator[Looked]:
    """Look at pairs until each is connected, failed or out of budget."""
    order = np.lexsort((proposals.right, proposals.left, -proposals.similarity))
    waiting, some = still_open(proposals.take(order), known), 1
    while len(waiting):
        now = _next(waiting, known, some)
        yield from look_at_all(waiting.take(now), judge, known)
        waiting, some = still_open(waiting.take(~now), known), 2 * some


def still_open(proposals: Proposals, known: Known) -> Proposals:
    """Those that are worth a look."""
    return proposals.take(known.is_open(proposals.left, proposals.right))


def _next(waiting: Proposals, known: Known, at_once: int) -> NDArray[np.bool_]:
    """Which of the pairs, best first, to look at now: few for each two components, since one may join them."""
    ends = np.sort(np.stack([known.component(waiting.left), known.component(waiting.right)]), axis=0)
    ends = ends.astype(np.uint64)
    first = np.flatnonzero(_among_first(ends[0] << np.uint64(32) | ends[1], at_once))
    now = np.zeros(len(waiting), bool)
    now[first[_among_first(waiting.left[first], min(at_once, _MOST_AT_ONCE))]] = True
    return now


def _among_first(keys: NDArray[np.unsignedinteger], count: int) -> NDArray[np.bool_]:
    """Which entries are among the first `count` of their key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    among = np.empty(len(keys), bool)
    among[order] = np.arange(len(keys)) - np.searchsorted(ordered, ordered, side="left") < count
    return among
