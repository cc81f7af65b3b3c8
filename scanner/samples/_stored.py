"""An image that a run read, read once more: what verification and the report look at.

A sample's `file` says how: a range of bytes in a tar or of the image file itself. Nothing is kept but the file that
was read last.

    >>> images = StoredImages("laion/")                                  # doctest: +SKIP
    >>> images(row["file"], row["offset"], row["length"])[:4]            # doctest: +SKIP
    b'\\xff\\xd8\\xff\\xe0'
"""

from pathlib import Path

from scanner.samples._decode import Undecodable
from scanner.samples._place import Place, place


class StoredImages:
    """The encoded images of a data set by the place that the samples table gives."""

    def __init__(self, root: str) -> None:
        self.root: Place = place(root)

    def __call__(self, file: str | None, offset: int, length: int) -> bytes:
        """The encoded image. Raises Undecodable, with the reason `image_gone` or `no_image`, when it can't be had."""
        if file is None:
            raise Undecodable("no_image", "The data set holds an embedding of this row, but no image.")
        try:
            return _read_range(self.root / file, offset, length)
        except OSError as error:
            raise Undecodable("image_gone", f"{file} can't be read any more: {error.strerror or error}.") from error


def _read_range(where: Place, offset: int, length: int) -> bytes:
    if isinstance(where, Path):
        with where.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    found: bytes = where.fs.cat_file(where.path, start=offset, end=offset + length)
    return found
