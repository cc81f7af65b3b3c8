"""The self-hash of report.json: whoever holds the file can tell that it is as it was written.

`sha256` is that of all other fields as canonical JSON: names sorted by code point, no blanks, UTF-8 without escapes
beyond those that JSON asks for, numbers as Python writes them (the shortest that reads back). It shows an accident or a
careless edit. It is no signature: whoever changes the file on purpose can hash it again, so keep the hash elsewhere as
well.

    >>> seal({"rows": 3})["sha256"][:12]
    '2bafd4629cc0'
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scanner.errors import ScannerError, UnusableInputError

FIELD = "sha256"


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its hash. Raises ValueError for NaN and infinity, which JSON has no way to write."""
    return {**content, FIELD: digest(content)}


def digest(content: Mapping[str, Any]) -> str:
    """sha-256 over the canonical JSON of all fields but the hash itself, 64 hexadecimal digits."""
    kept = {name: value for name, value in content.items() if name != FIELD}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def verify(path: Path) -> str:
    """The hash of a report.json that is as it was written.

    Raises UnusableInputError when there is no such file, ScannerError when it holds another hash than its own, none at
    all, or is not JSON in which each name stands once.
    """
    if not path.is_file():
        raise UnusableInputError(f"{path} is not there; write it with `scanner report RUN`.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ScannerError(f"{path} was changed since it was written: it is not readable as JSON ({error}).") from error
    if not isinstance(content, dict) or not isinstance(content.get(FIELD), str):
        raise ScannerError(f"{path} has no hash to check; write it again with `scanner report RUN`.")
    if content[FIELD] != digest(content):
        raise ScannerError(f"{path} was changed since it was written: its content does not have the hash in it.")
    return str(content[FIELD])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names all differ: of two equal ones programs read different values."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
