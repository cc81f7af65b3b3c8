"""Caption and url of a row, from the .txt and .json that stand beside its image.

>>> read_sidecars(b"a cat\\n", b'{"URL": "https://example.org/cat.jpg"}', Columns())
Sidecars(caption='a cat', url='https://example.org/cat.jpg', key=None, fields={'URL': 'https://example.org/cat.jpg'})
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable

IMAGE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"})
"""Endings of the files that are taken for images; what they really hold is seen when they are decoded."""

_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class Sidecars:
    """What stands beside an image."""

    caption: str | None
    """Caption without its file's final newline; None where there is none, or nothing but white space."""
    url: str | None
    """Where the image came from; None where it is not said."""
    key: str | None
    """The row's key under the name that the user gave; None where none was named."""
    fields: Mapping[str, Any]
    """Everything that the .json and the record say."""


def read_sidecars(
    text: bytes | None, metadata: bytes | None, columns: Columns, record: Mapping[str, Any] = _NONE
) -> Sidecars:
    """Caption and url of a row that may also have a `record` in a table; the .json's fields count before that.

    The caption is the .txt, unless the user named a field or the .txt is blank. Raises Undecodable with the reason
    `caption_not_utf8`, `broken_json`, `broken_metadata` or `missing_key`.
    """
    fields = {**record, **({} if metadata is None else _parse(metadata))}
    caption = None if text is None or columns.caption in fields else _decode_utf8(text).rstrip("\r\n")
    if not spoken(caption):
        caption = text_field(fields, columns.find(fields, "caption"))
    url = text_field(fields, columns.find(fields, "url"))
    return Sidecars(caption=spoken(caption), url=url, key=_named_key(fields, columns), fields=fields)


def _named_key(fields: Mapping[str, Any], columns: Columns) -> str | None:
    if columns.key is None:
        return None
    if fields.get(columns.key) in (None, ""):
        raise Undecodable("missing_key", f"The row has no {columns.key}, which was named as the column of its key.")
    return str(fields[columns.key])


def spoken(caption: str | None) -> str | None:
    """The caption, or None where it is nothing but white space."""
    return caption if caption is not None and caption.strip() else None


def printable(name: str) -> str:
    """A file's or member's name as valid Unicode: bytes that are not UTF-8 become `\\xff` escapes."""
    return name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


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


def text_field(fields: Mapping[str, Any], name: str | None) -> str | None:
    """The text under `name`; None where there is no such name or nothing under it.

    Raises Undecodable with the reason `broken_metadata` where it is no text, or `caption_not_utf8`.
    """
    value = None if name is None else fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Undecodable("broken_metadata", f"The row's {name} is a {type(value).__name__}, not text.")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _not_utf8(f"a lone surrogate in the row's {name}")
    return value


def _not_utf8(what: str) -> Undecodable:
    return Undecodable("caption_not_utf8", f"The row's caption or metadata is not UTF-8 ({what}).")
