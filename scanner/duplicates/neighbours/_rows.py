"""Rows of unit length, read as float32 a few at a time, whatever lies behind them.

Embeddings stay where they are, float16 and perhaps memory-mapped, and hashes stay 64-bit integers: a search over ten
million rows holds none of them as float32.

    >>> rows = UnitRows.of(np.array([[3, 4], [0, 0], [0, 2]], np.float16))
    >>> rows[:2]
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    >>> HashRows(np.array([0, 2**64 - 1], np.uint64))[:][:, :3]
    array([[-0.125, -0.125, -0.125],
           [ 0.125,  0.125,  0.125]], dtype=float32)
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.errors import UnusableInputError

BLOCK = 2048
"""Rows read at once: 4 MB of float32 at 512 dimensions."""
_PAIRS = 512
"""Pairs compared at once: few enough to stay in the cache, which halves the time."""
BITS = 64
"""Bits of a perceptual hash."""
_SHORTEST = 1e-6
"""A row shorter than this is zero: it has no direction, and is like no other."""

Floats = NDArray[np.float32]
Which = slice | NDArray[np.integer]


class Stored(Protocol):
    """What embeddings lie in: an array, a memory-mapped file, or several of them behind one another."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, which: Any, /) -> Any:
        """Rows by a slice or by an array of positions."""
        ...


class Rows(Protocol):
    """Rows of unit length (or zero)."""

    def __len__(self) -> int: ...

    @property
    def width(self) -> int:
        """Numbers in a row."""
        ...

    def __getitem__(self, which: Which, /) -> Floats:
        """(k, width) rows, by a slice or an array of positions."""
        ...

    def turned(self, which: Which, directions: Floats) -> Floats:
        """(k, c) coordinates of those rows along (width, c) directions."""
        ...

    def nonzero(self, which: Which) -> NDArray[np.bool_]:
        """(k,): whether each of those rows has a direction at all."""
        ...

    def cosines(self, left: Which, right: Which) -> Floats:
        """(k,) products of each of k rows with the one beside it."""
        ...


@dataclass(frozen=True)
class Behind:
    """Two stored arrays of one width, one behind the other; itself stored.

    >>> Behind(np.zeros((2, 3)), np.ones((1, 3)))[np.array([2, 0])][:, 0]
    array([1., 0.])
    """

    first: Stored
    """(n, d)"""
    second: Stored
    """(m, d)"""

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.first.shape[0] + self.second.shape[0], *self.first.shape[1:])

    def __getitem__(self, which: Any, /) -> Any:
        rows = np.arange(self.shape[0])[which] if isinstance(which, slice) else np.asarray(which)
        behind = rows >= self.first.shape[0]
        taken = self.first[rows[~behind]]
        found = np.empty((len(rows), *self.shape[1:]), taken.dtype)
        found[~behind] = taken
        found[behind] = self.second[rows[behind] - self.first.shape[0]]
        return found


@dataclass(frozen=True, kw_only=True)
class UnitRows:
    """Some rows of stored vectors, each divided by its length."""

    stored: Stored
    """(all rows, d), float16 or float32."""
    positions: NDArray[np.int64] | None
    """(n,): which of them; None: all."""
    scale: Floats
    """(n,): 1 / length; 0 for a zero row."""
    tensor: torch.Tensor | None
    """The stored vectors where they are one array, for torch to gather from on all cores."""

    @classmethod
    def of(cls, stored: Stored, positions: NDArray[np.int64] | None = None) -> "UnitRows":
        """Rows of `stored`, all of them or those at `positions`. Raises UnusableInputError on NaN or infinity."""
        if positions is not None and np.array_equal(positions, np.arange(stored.shape[0])):
            positions = None
        count = stored.shape[0] if positions is None else len(positions)
        scale = np.zeros(count, np.float32)
        for part in slices(count):
            block = _as_float32(stored[part if positions is None else positions[part]])
            length = torch.linalg.vector_norm(torch.from_numpy(block), dim=1).numpy()
            if not np.isfinite(length).all():
                raise UnusableInputError("The embeddings hold NaN or infinite values; compute them again.")
            np.divide(1, length, out=scale[part], where=length > _SHORTEST)
        tensor = _shared(stored) if isinstance(stored, np.ndarray) else None
        return cls(stored=stored, positions=positions, scale=scale, tensor=tensor)

    def leading(self, count: int) -> "UnitRows":
        """The first `count` rows."""
        if count == len(self):
            return self
        positions = np.arange(count) if self.positions is None else self.positions[:count]
        return replace(self, positions=positions, scale=self.scale[:count])

    def __len__(self) -> int:
        return len(self.scale)

    @property
    def width(self) -> int:
        return self.stored.shape[1]

    def __getitem__(self, which: Which, /) -> Floats:
        block = self._stored_rows(which)
        block *= self.scale[which][:, None]
        return block

    def turned(self, which: Which, directions: Floats) -> Floats:
        """Lengths are divided out of the few coordinates, not of the rows."""
        turned = product(self._stored_rows(which), directions)
        turned *= self.scale[which][:, None]
        return turned

    def nonzero(self, which: Which) -> NDArray[np.bool_]:
        there: NDArray[np.bool_] = self.scale[which] > 0
        return there

    def cosines(self, left: Which, right: Which) -> Floats:
        """Lengths are divided out of the products, not of the rows."""
        one, other = torch.from_numpy(self._stored_rows(left)), torch.from_numpy(self._stored_rows(right))
        found: Floats = torch.linalg.vecdot(one, other).numpy()
        found *= self.scale[left] * self.scale[right]
        return found

    def _stored_rows(self, which: Which) -> Floats:
        """As they are stored, but float32, and owned by the caller."""
        place = which if self.positions is None else self.positions[which]
        if self.tensor is None or isinstance(place, slice):
            return _as_float32(self.stored[place])
        rows: Floats = self.tensor.index_select(0, torch.from_numpy(place.astype(np.int64))).float().numpy()
        return rows


@dataclass(frozen=True, kw_only=False)
class HashRows:
    """64-bit hashes as vectors of ±1/8: the cosine of two is 1 − their Hamming distance / 32."""

    hashes: NDArray[np.uint64]
    """(n,)"""

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def width(self) -> int:
        return BITS

    def __getitem__(self, which: Which, /) -> Floats:
        octets = self.hashes[which].astype("<u8").view(np.uint8).reshape(-1, BITS // 8)
        return (np.unpackbits(octets, axis=1).astype(np.float32) - np.float32(0.5)) / np.float32(4)

    def cosines(self, left: Which, right: Which) -> Floats:
        differing = np.bitwise_count(self.hashes[left] ^ self.hashes[right]).astype(np.float32)
        found: Floats = 1 - differing / np.float32(BITS // 2)
        return found

    def turned(self, which: Which, directions: Floats) -> Floats:
        return product(self[which], directions)

    def nonzero(self, which: Which) -> NDArray[np.bool_]:
        return np.ones(len(self.hashes[which]), bool)


def _as_float32(block: NDArray[np.floating]) -> Floats:
    """A copy as float32; torch converts float16 on all cores, numpy on one."""
    owned = block if block.flags.owndata and block.dtype != np.float32 else np.array(block)
    converted: Floats = torch.from_numpy(owned).float().numpy()
    return converted


def _shared(stored: NDArray[np.floating]) -> torch.Tensor:
    """The same memory as a tensor, which nobody writes to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(stored)


def product(left: Floats, right: Floats) -> Floats:
    """A matrix product by torch: numpy's own threads and torch's wait for each other on the same cores."""
    made: Floats = (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()
    return made


def slices(count: int, size: int = BLOCK) -> Iterator[slice]:
    """Consecutive slices that cover `count` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def cosines(rows: Rows, left: NDArray[np.integer], right: NDArray[np.integer]) -> Floats:
    """(p,) cosines of pairs of rows, exact to float32."""
    found = np.empty(len(left), np.float32)
    for part in slices(len(left), _PAIRS):
        found[part] = rows.cosines(left[part], right[part])
    return found
