"""JSON that every reader takes for the same: line by line, and as YAML.

A JSON string may hold line breaks other than \\n (U+0085, U+2028, U+2029), and readers that split lines the way Unicode
does cut there. YAML refuses further characters unless they are escaped. Both kinds are escaped here; a JSON string is
then a double-quoted YAML scalar, word for word (YAML 1.2, 1.3 and 7.3.1).
"""

import re
from collections.abc import Iterator

import msgspec
import polars as pl

BREAKS = re.compile("[\x85\u2028\u2029]")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What PyYAML and js-yaml don't take as it is (YAML 1.1, c-printable), and the line breaks."""
AT_ONCE = 50_000
"""Prompts encoded at once."""


def json_lines(prompts: pl.DataFrame) -> Iterator[bytes]:
    """An object a prompt and line, in parts."""
    for part in prompts.iter_slices(AT_ONCE):
        yield BREAKS.sub(_escaped, part.write_ndjson()).encode("utf-8")


def scalar(value: str | int | list[str] | dict[str, str | int]) -> str:
    """A value as JSON that is YAML too."""
    return UNPRINTABLE.sub(_escaped, msgspec.json.encode(value).decode("utf-8"))


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
