"""What the data say about a picture: rights, people, opt-outs, scores, each with its source. Never a legal judgement.

>>> from scanner.signals import signals_of
>>> [(one.kind, one.value) for one in signals_of({"LICENSE": "CC0"}, None)]
[('licence', 'CC0')]
"""

from collections.abc import Mapping
from typing import Any

from scanner.signals._columns import of_columns
from scanner.signals._embedded import of_file
from scanner.signals._faces import SOURCE as FACES_SOURCE
from scanner.signals._faces import FaceDetector, faces_signal
from scanner.signals._host import host_of, of_url
from scanner.signals._signal import KINDS, MOST_CHARACTERS, Signal, said
from scanner.signals._xmp import of_xmp


def signals_of(fields: Mapping[str, Any], encoded: bytes | None) -> list[Signal]:
    """All signals of a row: of its columns, and of its image file where it has one. Nothing in them raises.

    The host is not among them: it follows from the url that the samples table holds.
    """
    return [*of_columns(fields), *([] if encoded is None else of_file(encoded))]


__all__ = [
    "FACES_SOURCE",
    "KINDS",
    "MOST_CHARACTERS",
    "FaceDetector",
    "Signal",
    "faces_signal",
    "host_of",
    "of_columns",
    "of_file",
    "of_url",
    "of_xmp",
    "said",
    "signals_of",
]
