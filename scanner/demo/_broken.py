"""Rows that a scanner must survive: broken files inside the tars, as crawled sets have them.

>>> from scanner.demo._broken import BROKEN, break_file
>>> sorted(BROKEN)[:2]
['bomb', 'caption']
"""

import struct
import zlib

from scanner.demo._edits import Encoded

BROKEN = {
    "empty": "zero bytes under a picture's name",
    "truncated": "a JPEG that ends half way",
    "html": "an error page saved as a picture",
    "bomb": "a PNG header that promises 60,000 × 60,000 pixels",
    "missing_image": "caption and JSON without a picture",
    "caption": "a good picture whose caption is not UTF-8",
}
"""What is broken, and how."""

_PAGE = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _bomb(side: int = 60_000) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(bytes(4096)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + pixels + _chunk(b"IEND", b"")


def break_file(what: str, whole: Encoded) -> Encoded | None:
    """The file of a broken row made from a whole one; None where the row has no file.

    `what` is a key of `BROKEN`.
    """
    match what:
        case "empty":
            return Encoded(data=b"", ending="jpg")
        case "truncated":
            return Encoded(data=whole.data[: len(whole.data) // 2], ending="jpg")
        case "html":
            return Encoded(data=_PAGE, ending="jpg")
        case "bomb":
            return Encoded(data=_bomb(), ending="jpg")
        case "missing_image":
            return None
        case _:
            return whole


def break_caption(text: str) -> bytes:
    """A caption in Latin-1 with letters that make it no UTF-8."""
    return f"{text} - Zürich, café".replace("–", "-").encode("latin-1", errors="replace")
