"""An upper bound of the cosine from a few numbers a row, so that most pairs are dismissed without being compared.

For unit vectors split into a head (their coordinates along the leading principal directions) and a rest, the
Cauchy-Schwarz inequality gives  x · y ≤ head(x) · head(y) + |rest(x)| |rest(y)|:  the product of two short vectors that
carry the length of the rest as one more number. A pair below the threshold in that product is below it in truth, so
nothing is dismissed wrongly; survivors are compared in full. Two more numbers a row carry its slack, by which the
threshold is lowered for a row that stands for others (see `_leaders`).

The product is made in the type of number in which this processor makes it fastest, and the threshold lowered by the
largest rounding error of that type. A product of 32 numbers and the maxima over it took 0.31 s per 10⁹ pairs in float32
on one machine of 2 cores, 0.35 s in float16 and 0.58 s in bfloat16; on another the product alone took 0.8 s in float32
and 0.2 s in bfloat16.

    >>> rows = UnitRows.of(np.random.default_rng(0).normal(size=(500, 40)).astype(np.float32))
    >>> heads = Heads.of(leading(rows, directions_of(rows), 16), rows.nonzero(slice(None)), width=16)
    >>> bool((heads.bounds(slice(0, 500), slice(0, 500)) >= rows[:] @ rows[:].T - 1e-5).all())
    True
"""

from dataclasses import dataclass
from functools import cache
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours._rows import Floats, Rows, Which, product, slices

WIDTHS = (32, 64, 128, 256)
"""Numbers of a short vector to choose from."""
_FITTED_ON = 20_000
"""Rows that the principal directions are fitted on."""
_SLACK = 2
"""Numbers of a short vector that carry the slack."""
_FLOAT_ERROR = 1e-4
"""More than the rounding error of a float32 product of unit vectors (up to 1,024 numbers), float16 storage included."""
_BITS = {torch.float16: 11, torch.bfloat16: 8}
"""Bits of a short number's fraction, the hidden one included."""
_REST_ERROR = 2e-6
"""Added to the squared length of the rest: more than the rounding error of a difference of squared lengths, which next
to nothing would be 10⁻³ of length."""
_PAIR_COST = 2500.0
"""What comparing one survivor in full costs, in units of one pair's product of 32 numbers (600 ns against 0.24 ns)."""
_SCAN_COST = 0.5
"""What looking through the products costs, in the same unit."""


@cache
def fast_type() -> torch.dtype:
    """float32, bfloat16 or float16: the one in which a product and its maxima are made fastest here.

    It is timed, since what a processor has instructions for is not told by its name. No pair depends on it.
    """
    return min((torch.float32, torch.bfloat16, torch.float16), key=_seconds)


def _seconds(kind: torch.dtype) -> float:
    rows, columns = torch.full((512, 32), 0.1, dtype=kind), torch.full((4096, 32), 0.1, dtype=kind)
    room, taken = torch.empty(512, 4096, dtype=kind), []
    for _ in range(5):
        begin = perf_counter()
        torch.mm(rows, columns.T, out=room).view(512, -1, 64).amax(1)
        taken.append(perf_counter() - begin)
    return min(taken)


def rounding_error(kind: torch.dtype) -> float:
    """More than the product of two short vectors may be off: half a unit in the last place of 1 from rounding each
    factor, a quarter from the result, a quarter for the slack, and what float32 takes."""
    return _FLOAT_ERROR + (3 * 2.0 ** -_BITS[kind] if kind in _BITS else 0)


def directions_of(rows: Rows, seed: int = 0) -> Floats:
    """(width, width): principal directions of the rows about the origin, as columns, the strongest first."""
    drawn = np.sort(np.random.default_rng(seed).permutation(len(rows))[:_FITTED_ON])
    moment = np.zeros((rows.width, rows.width))
    for part in slices(len(drawn)):
        block = rows[drawn[part]]
        moment += product(block.T, block)
    return np.ascontiguousarray(np.linalg.eigh(moment)[1][:, ::-1].astype(np.float32))


def choose_width(rows: Rows, directions: Floats, cosine: float, *, share: float, seed: int = 0) -> int:
    """The width at which products and survivors together cost least.

    Survivors are counted on a sample, among the most similar `share` of its pairs that are no neighbours: those that
    cells would compare. (With neighbours among them, heavy groups filled the share, and a million rows at 0.85 took
    more than twenty minutes at a width of 32 in place of half a minute at 128.)
    """
    drawn = np.sort(np.random.default_rng([seed, 1]).permutation(len(rows))[:1500])
    sample = rows.turned(drawn, directions)
    above = np.triu_indices(len(drawn), 1)
    true = product(sample, sample.T)[above]
    unlike = np.flatnonzero(true < cosine)
    close = unlike[np.argsort(-true[unlike])[: max(int(share * len(unlike)), 1)]]
    least = cosine - rounding_error(torch.float16)  # whatever is fastest here: cells are cut by the width
    costs = {}
    for width in WIDTHS:
        bound = _with_rest(sample, width - 1 - _SLACK)
        survivors = product(bound, bound.T)[above][close] >= least
        costs[width] = width / WIDTHS[0] + _SCAN_COST + _PAIR_COST * survivors.mean() if len(close) else width
    return min(costs, key=lambda width: costs[width])


def leading(rows: Rows, directions: Floats, width: int) -> Floats:
    """(n, up to `width` − 3): the coordinates of all rows along the first directions, the head of a short vector."""
    first = np.ascontiguousarray(directions[:, : width - 1 - _SLACK])
    found = np.empty((len(rows), first.shape[1]), np.float32)
    for part in slices(len(rows)):
        found[part] = rows.turned(part, first)
    return found


def _with_rest(turned: Floats, count: int) -> Floats:
    """The first `count` coordinates and the length of the others."""
    head = turned[:, :count]
    rest = np.maximum((turned * turned).sum(1) - (head * head).sum(1), 0)
    return np.concatenate([head, np.sqrt(rest + _REST_ERROR)[:, None]], axis=1).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Heads:
    """The short vectors of all rows."""

    values: torch.Tensor
    """(n + 1, width) float32 or bfloat16: head, length of the rest, slack, 1; the last row is zero."""
    partner: torch.Tensor
    """(n + 1, width): the same with slack and 1 exchanged, so that the product adds both slacks."""
    error: float
    """By how much the product may fall short of the bound."""

    @classmethod
    def of(cls, leading: Floats, nonzero: NDArray[np.bool_], *, width: int) -> "Heads":
        """Short vectors of `width` numbers (more than 3), without slack, from `leading` coordinates of n rows."""
        kind, count = fast_type(), min(width - 1 - _SLACK, leading.shape[1])
        values = torch.zeros(len(leading) + 1, width, dtype=kind)
        for part in slices(len(leading)):
            head = torch.from_numpy(leading[part, :count])
            rest = (torch.from_numpy(nonzero[part]).float() - head.square().sum(1)).clamp(min=0) + _REST_ERROR
            values[part, :count] = head.to(kind)
            values[part, count] = rest.sqrt().to(kind)
        values[:-1, -1] = 1
        partner = values.clone()
        partner[:, -2], partner[:, -1] = values[:, -1], values[:, -2]
        return cls(values=values, partner=partner, error=rounding_error(kind))

    def lower(self, which: NDArray[np.integer], slack: float) -> None:
        """Lower the threshold by `slack` for every pair with one of these rows (twice for a pair of them)."""
        place = torch.from_numpy(which.astype(np.int64))
        self.values[place, self.values.shape[1] - 2] = slack
        self.partner[place, self.partner.shape[1] - 1] = slack

    def bounds(self, left: Which, right: Which) -> Floats:
        """(p, q): no pair's cosine (plus slack) is larger."""
        bounds = self.values[_index(left)] @ self.partner[_index(right)].T
        return bounds.float().numpy() + np.float32(self.error)

    def pair_bounds(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> Floats:
        """(p,): of each pair, no cosine (plus slack) is larger."""
        both = self.values[_index(left)].float() * self.partner[_index(right)].float()
        bounds: Floats = both.sum(1).numpy() + np.float32(self.error)
        return bounds


def _index(which: Which) -> slice | torch.Tensor:
    return which if isinstance(which, slice) else torch.from_numpy(which.astype(np.int64))
