"""Arrays of embeddings on disk: a .npy, or one array of a .npz, read row after row or at any row, never whole.

A file's header is read when it is opened, and says how many rows there are and how wide they are; whether they are all
there, and what they hold, is seen when they are read.

    >>> with look_at_npy(Path("img_emb/img_emb_0.npy")).open() as stream:    # doctest: +SKIP
    ...     unit = unit_rows(stream.take(0, 1000))
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tokenize import TokenError
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.samples._place import Place, open_place

UNIT_TOLERANCE = 5e-3
"""A length this close to 1 is 1: float16 rounds each number by at most 1/2048, and so the length of a unit vector by
less than 5 · 10⁻⁴; ten times that is left for half-precision arithmetic."""
NO_LENGTH = 1e-6
"""A vector that is not longer points nowhere."""
MOST_WIDE = 65_536
"""Numbers in an embedding; a header that claims more is damaged."""

_NO_HEADER = (ValueError, SyntaxError, TokenError, RecursionError, MemoryError)
_NO_ARCHIVE = (KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
_DAMAGED = (*_NO_HEADER, *_NO_ARCHIVE)
"""What numpy and zipfile raise for a file that is not what its ending says (a header is parsed as Python)."""


@dataclass(frozen=True, kw_only=True)
class VectorFile:
    """An array (rows, width) of floats in a file, looked at and not yet read."""

    place: Place
    """The .npy or .npz."""
    member: str | None
    """Name of the array's file in the .npz."""
    rows: int
    """As the header says; the file may be cut."""
    width: int
    """Numbers in an embedding."""
    dtype: np.dtype[Any]
    """Type of the stored numbers, with their byte order."""
    start: int
    """Where the first row begins in the .npy or the member, bytes."""

    @contextmanager
    def open(self) -> "Iterator[VectorStream]":
        """The rows, from the first on."""
        with open_place(self.place) as file:
            if self.member is None:
                yield VectorStream(self, file)
                return
            with zipfile.ZipFile(file) as archive, archive.open(self.member) as member:
                yield VectorStream(self, cast("BinaryIO", member))


class VectorStream:
    """An open array and the place that reading has come to."""

    def __init__(self, vectors: VectorFile, file: BinaryIO) -> None:
        self._vectors, self._file = vectors, file
        self._row_bytes = vectors.width * vectors.dtype.itemsize
        self.damage = "it ends early"
        """Why `take` gave fewer rows than it was asked for."""
        self._damaged_from: int | None = None

    def take(self, first: int, count: int) -> NDArray[np.floating]:
        """Rows first … first + count − 1, (count, width); fewer where the file is cut or damaged before the last."""
        content = self._read(self._vectors.start + first * self._row_bytes, count * self._row_bytes)
        whole = len(content) // self._row_bytes
        rows = np.frombuffer(content[: whole * self._row_bytes], self._vectors.dtype)
        return rows.reshape(whole, self._vectors.width)

    def _read(self, start: int, size: int) -> bytes:
        if self._damaged_from is not None and start >= self._damaged_from:
            return b""  # to come here again, an archive would be unpacked from its beginning
        try:
            if self._file.tell() != start:
                self._file.seek(start)
            return b"".join(_pieces(self._file, size))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            self.damage, self._damaged_from = str(error).rstrip("."), start
            return b""


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Bytes up to that size; a member of an archive may give fewer at once than it was asked for."""
    while size > 0 and (piece := file.read(size)):
        yield piece
        size -= len(piece)


def look_at_npy(place: Place) -> VectorFile:
    """The array in a .npy. Raises UnusableInputError where there is none of embeddings."""
    with open_place(place) as file:
        return _look(place, None, file)


def look_at_npz(place: Place, array: str) -> VectorFile:
    """One array of a .npz. Raises UnusableInputError where there is none of that name, or it holds no embeddings."""
    member = f"{array}.npy"
    try:
        with open_place(place) as file, zipfile.ZipFile(file) as archive, archive.open(member) as inside:
            return _look(place, member, inside)
    except _DAMAGED as error:
        raise _unreadable(place, error) from error


def names_in_npz(place: Place) -> tuple[str, ...]:
    """Names of the arrays of a .npz. Raises UnusableInputError where it can't be read."""
    try:
        with open_place(place) as file, zipfile.ZipFile(file) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))
    except _DAMAGED as error:
        raise _unreadable(place, error) from error


def _look(place: Place, member: str | None, file: IO[bytes]) -> VectorFile:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
    except _DAMAGED as error:
        raise _unreadable(place, error) from error
    name = str(place) if member is None else f"{member.removesuffix('.npy')} in {place}"
    if len(shape) != 2 or by_columns or dtype.kind != "f" or not 0 < shape[1] <= MOST_WIDE or shape[0] < 0:
        raise UnusableInputError(
            f"{name} holds {dtype} of shape {tuple(shape)}, and embeddings are rows of float16, float32 or float64; "
            "write them again."
        )
    return VectorFile(place=place, member=member, rows=shape[0], width=shape[1], dtype=dtype, start=file.tell())


def _unreadable(place: Place, error: Exception) -> UnusableInputError:
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UnusableInputError(f"{place} can't be read as a file of embeddings ({said}); get it again.")


@dataclass(frozen=True, kw_only=True)
class UnitRows:
    """Embeddings as they are compared."""

    vectors: NDArray[np.float16]
    """(n, width), of unit length; what is written of a row that is not usable has no meaning."""
    usable: NDArray[np.bool_]
    """(n,): finite, and longer than nothing."""
    length: NDArray[np.float64]
    """(n,): as it was stored; NaN or infinite where a number is."""

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(n,): usable rows that were not of unit length."""
        return self.usable & ~_is_unit(self.length)


def unit_rows(rows: NDArray[np.floating]) -> UnitRows:
    """(n, width) floats as float16 of unit length; those that are of unit length already are left as they are."""
    wide = rows.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    usable = np.isfinite(length) & (length > NO_LENGTH)
    divisor = np.where(usable & ~_is_unit(length), length, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        vectors = (wide / divisor[:, None]).astype(np.float16)
    return UnitRows(vectors=vectors, usable=usable, length=length)


def _is_unit(length: NDArray[np.float64]) -> NDArray[np.bool_]:
    close: NDArray[np.bool_] = np.abs(length - 1) <= UNIT_TOLERANCE
    return close
