"""One signal: what the data say about a picture's rights, its people or what it shows, with the place that says so.

A value is a stranger's text: it is cut, made valid and stripped of white space here, escaped where it is shown.

    >>> said("licence", "column LICENSE", " CC  BY 4.0\\0")
    Signal(kind='licence', source='column LICENSE', value='CC BY 4.0', whole=None, detail=None)
"""

import math
from dataclasses import dataclass
from typing import Any

MOST_CHARACTERS = 300
"""Of a value that is kept; rights statements seldom need more, and a run has millions of rows."""
MOST_DETAIL = 2000
"""Of a detail: the boxes of some fifty faces."""
_SAYS_NOTHING = frozenset(("", "?", "-", "nan", "none", "null", "n/a"))
"""Values that data sets write where they know nothing (LAION's LICENSE is mostly `?`)."""

KINDS = {
    "licence": "licence",
    "copyright": "copyright",
    "creator": "creator",
    "credit": "credit",
    "terms": "terms of use",
    "opt_out": "opt-out",
    "watermark": "watermark score",
    "host": "host",
    "description": "description",
    "person": "person named",
    "faces": "faces",
    "nsfw": "NSFW score",
    "fault": "could not be read",
}
"""Every kind in the order in which they are shown, in words. None is a legal judgement."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """What one source says."""

    kind: str
    """One of KINDS."""
    source: str
    """Where it stands: `column LICENSE`, `EXIF Copyright`, `XMP dc:rights`, ..."""
    value: str
    """At most MOST_CHARACTERS characters of it; of faces their number."""
    whole: int | None = None
    """Characters of the whole value where it was cut."""
    detail: str | None = None
    """Of faces their boxes as the source has them, JSON; null otherwise and where they are too many."""


def said(kind: str, source: str, value: Any, detail: str | None = None) -> Signal | None:
    """The signal, or None where the value says nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    text = str(value)
    kept = " ".join(text[: 4 * MOST_CHARACTERS].replace("\0", " ").split())
    kept = kept.encode("utf-8", "replace").decode()  # lone surrogates can't be stored
    if kept.lower() in _SAYS_NOTHING:
        return None
    cut = len(kept) > MOST_CHARACTERS or len(text) > 4 * MOST_CHARACTERS
    if detail is not None and len(detail) > MOST_DETAIL:
        detail = None
    return Signal(
        kind=kind, source=source, value=kept[:MOST_CHARACTERS], whole=len(text) if cut else None, detail=detail
    )
