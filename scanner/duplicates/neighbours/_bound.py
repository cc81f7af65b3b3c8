"""An upper bound of the cosine from a few numbers a row, so that most pairs are dismissed without being compared.

For unit vectors split into a head (their coordinates along the leading principal directions) and a rest, the
Cauchy-Schwarz inequality gives  x · y ≤ head(x) · head(y) + |rest(x)| |rest(y)|:  the product of two short vectors that
carry the length of the rest as one more number. A pair below the threshold in that product is below it in truth, so
nothing is dismissed wrongly; survivors are compared in full. Two more numbers a row carry its slack, by which the
threshold is lowered for a row that stands for others (see `_leaders`).

Where the processor has instructions for products in bfloat16, the product is made in it and the threshold lowered by
the largest rounding error. At 1,000,000 rows a product of 32 numbers takes 0.2 s per 10⁹ pairs in bfloat16, 0.8 s in
float32.

    >>> rows = UnitRows.of(np.random.default_rng(0).normal(size=(500, 40)).astype(np.float32))
    >>> heads = Heads.of(rows, width=16)
    >>> bool((heads.bounds(slice(0, 500), slice(0, 500)) >= rows[:] @ rows[:].T - 1e-5).all())
    True
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours._rows import Floats, Rows, Which, slices

WIDTHS = (32, 64, 128, 256)
"""Numbers of a short vector to choose from."""
_FITTED_ON = 20_000
"""Rows that the principal directions are fitted on."""
_SLACK = 2
"""Numbers of a short vector that carry the slack."""
_FLOAT_ERROR = 1e-4
"""More than the rounding error of a float32 product of unit vectors (up to 1,024 numbers), float16 storage included."""
_BRAIN_ERROR = 3 * 2.0**-8
"""More than that of a bfloat16 product: 2⁻⁸ from rounding each factor, 2⁻⁹ from the result, 2⁻⁹ for the slack."""
_REST_ERROR = 2e-6
"""Added to the squared length of the rest: more than the rounding error of a difference of squared lengths, which next
to nothing would be 10⁻³ of length."""
_BRAIN_INSTRUCTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
"""Torch's own names for what tells that a processor multiplies bfloat16."""
_PAIR_COST = 3000.0
"""What comparing one survivor in full costs, in units of one pair’s product of 32 numbers (600 ns against 0.2 ns)."""


@cache
def fast_type() -> torch.dtype:
    """bfloat16 where torch reports instructions for it on this processor, else float32.

    Cells depend on the type of number, so it is never timed: a resumed run must cut the same cells.
    """
    reports = [getattr(torch.cpu, name, None) for name in _BRAIN_INSTRUCTIONS]
    able = any(report is not None and report() for report in reports)
    return torch.bfloat16 if able else torch.float32


def directions_of(rows: Rows, seed: int = 0) -> Floats:
    """(width, width): principal directions of the rows about the origin, as columns, the strongest first."""
    drawn = np.sort(np.random.default_rng(seed).permutation(len(rows))[:_FITTED_ON])
    moment = np.zeros((rows.width, rows.width))
    for part in slices(len(drawn)):
        block = rows[drawn[part]]
        moment += block.T @ block
    return np.ascontiguousarray(np.linalg.eigh(moment)[1][:, ::-1].astype(np.float32))


def choose_width(rows: Rows, directions: Floats, cosine: float, *, share: float, seed: int = 0) -> int:
    """The width at which products and survivors together cost least.

    Survivors are counted on a sample, among the most similar `share` of its pairs that are no neighbours: those that
    cells would compare. (With neighbours among them, heavy groups filled the share, and a million rows at 0.85 took
    more than twenty minutes at a width of 32 in place of half a minute at 128.)
    """
    drawn = np.sort(np.random.default_rng([seed, 1]).permutation(len(rows))[:1500])
    sample = rows[drawn] @ directions
    above = np.triu_indices(len(drawn), 1)
    true = (sample @ sample.T)[above]
    unlike = np.flatnonzero(true < cosine)
    close = unlike[np.argsort(-true[unlike])[: max(int(share * len(unlike)), 1)]]
    least = cosine - (_BRAIN_ERROR if fast_type() == torch.bfloat16 else _FLOAT_ERROR)
    costs = {}
    for width in WIDTHS:
        bound = _with_rest(sample, width - 1 - _SLACK)
        survivors = (bound @ bound.T)[above][close] >= least
        costs[width] = width / WIDTHS[0] + _PAIR_COST * survivors.mean() if len(close) else width
    return min(costs, key=lambda width: costs[width])


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
    head: int
    """Numbers of the head, which come first."""
    error: float
    """By how much the product may fall short of the bound."""

    @classmethod
    def of(cls, rows: Rows, *, width: int, directions: Floats | None = None) -> "Heads":
        """Short vectors of `width` numbers (more than 3), without slack."""
        directions = directions_of(rows) if directions is None else directions
        kind = fast_type()
        values = torch.zeros(len(rows) + 1, width, dtype=kind)
        count = min(width - 1 - _SLACK, rows.width)
        for part in slices(len(rows)):
            block = rows[part]
            head = block @ directions[:, :count]
            rest = np.maximum(np.einsum("nd,nd->n", block, block) - np.einsum("nd,nd->n", head, head), 0)
            values[part, :count] = torch.from_numpy(head).to(kind)
            values[part, count] = torch.from_numpy(np.sqrt(rest + np.float32(_REST_ERROR))).to(kind)
        values[:-1, -1] = 1
        partner = values.clone()
        partner[:, -2], partner[:, -1] = values[:, -1], values[:, -2]
        error = _BRAIN_ERROR if kind == torch.bfloat16 else _FLOAT_ERROR
        return cls(values=values, partner=partner, head=count, error=error)

    def lower(self, which: NDArray[np.integer], slack: float) -> None:
        """Lower the threshold by `slack` for every pair with one of these rows (twice for a pair of them)."""
        place = torch.from_numpy(which.astype(np.int64))
        self.values[place, self.values.shape[1] - 2] = slack
        self.partner[place, self.partner.shape[1] - 1] = slack

    def bounds(self, left: Which, right: Which) -> Floats:
        """(p, q): no pair's cosine (plus slack) is larger."""
        product = self.values[_index(left)] @ self.partner[_index(right)].T
        return product.float().numpy() + np.float32(self.error)


def _index(which: Which) -> slice | torch.Tensor:
    return which if isinstance(which, slice) else torch.from_numpy(which.astype(np.int64))
