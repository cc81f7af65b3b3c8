"""Caption and url of a row, from the .txt and .json that stand beside its image.

>>> read_sidecars(b"a cat\\n", b'{"url": "https://example.org/cat.jpg"}')
Sidecars(caption='a cat', url='https://example.org/cat.jpg')
"""

import json
from dataclasses import dataclass
from typing import Any

from scanner.samples._decode import Undecodable

IMAGE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"})
"""Endings of the files that are taken for images; what they really hold is seen when they are decoded."""


@dataclass(frozen=True, kw_only=True)
class Sidecars:
    """What stands beside an image."""

    caption: str | None
    """Caption without its file's final newline; None where there is none, or nothing but white space."""
    url: str | None
    """Where the image came from; None where it is not said."""


def read_sidecars(text: bytes | None, metadata: bytes | None) -> Sidecars:
    """Caption and url of a row; the .txt's caption counts before the .json's.

    Raises Undecodable with the reason `caption_not_utf8` or `broken_json`.
    """
    fields = {} if metadata is None else _parse(metadata)
    caption = _field(fields, "caption") if text is None else _decode_utf8(text).rstrip("\r\n")
    if caption is not None and not caption.strip():
        caption = None
    return Sidecars(caption=caption, url=_field(fields, "url"))


def printable(name: str) -> str:
    """A file's or member's name as valid Unicode: bytes that are not UTF-8 become `\\xff` escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _decode_utf8(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(f"byte 0x{text[error.start]:02x} at position {error.start}") from error


def _parse(metadata: bytes) -> dict[str, Any]:
    text = _decode_utf8(metadata)
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Undecodable("broken_json", f"The row's .json can't be parsed: {error}") from error
    if not isinstance(fields, dict):
        raise Undecodable("broken_json", f"The row's .json holds a {type(fields).__name__}, not an object.")
    return fields


def _field(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Undecodable("broken_json", f"The {name} in the row's .json is a {type(value).__name__}, not text.")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _not_utf8(f"a lone surrogate in the .json's {name}")
    return value


def _not_utf8(what: str) -> Undecodable:
    return Undecodable("caption_not_utf8", f"The row's caption or metadata is not UTF-8 ({what}).")
