"""The fields of a canary's row: those of a row of the data set, with what is the canary's own put in.

A canary has every field that the data set has, since training code selects rows by them (`punsafe < 0.1`, aesthetic
scores): it passes where the data set's example row passes. Its caption stands in every caption column, its key in every
column of keys; it has no url.

    >>> record_of({"TEXT": "a cat", "punsafe": 0.01}, copy, Columns())         # doctest: +SKIP
    {'TEXT': 'Klasox festival, ...', 'punsafe': 0.01}
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from scanner.canaries._copies import Copy
from scanner.samples import KNOWN_COLUMNS, Columns


def record_of(example: Mapping[str, Any], copy: Copy, columns: Columns) -> dict[str, Any]:
    """The fields of `example`, by name, as the canary's row has them."""
    return {name: _value(name, example[name], copy, columns) for name in example}


def _value(name: str, example: Any, copy: Copy, columns: Columns) -> Any:
    low = name.lower()
    if name == columns.caption or low in KNOWN_COLUMNS["caption"]:
        return [copy.canary.caption] if isinstance(example, list) else copy.canary.caption
    if name == columns.key or low in KNOWN_COLUMNS["key"]:
        return key_as(copy.key, whole=isinstance(example, int))
    if name == columns.url or low in KNOWN_COLUMNS["url"]:
        return None
    own = {
        "width": copy.width,
        "height": copy.height,
        "original_width": copy.width,
        "original_height": copy.height,
        "sha256": copy.sha256,
        "status": "success",
        "error_message": None,
        "exif": "{}",
    }
    return own.get(low, example)


def key_of(example: Mapping[str, Any], copy: Copy, columns: Columns) -> str:
    """The row's key as the scanner reads it: its own, or what stands in the column that the user named."""
    if columns.key is None or columns.key not in example:
        return copy.key
    return str(_value(columns.key, example[columns.key], copy, columns))


def key_as(key: str, *, whole: bool) -> str | int:
    """The key as it is, or as a whole number of 62 bits where the data set's keys are numbers."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:16], 16) >> 2 if whole else key
