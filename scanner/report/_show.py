"""How text from the data set is shown: cut, with its invisible characters made visible, and links only to the
web.

Captions and addresses are written by strangers. The template escapes all of them; this module takes out what
escaping leaves in: direction marks that reorder a line, control characters, and addresses that are not http
or https.

    >>> visible("cat\\u202egpj.exe")
    'cat⟨U+202E⟩gpj.exe'
"""

import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_HIDDEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2028\u2029")
"""Marks that change the direction of text, and separators that break lines. Joiners stay: emoji need them."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A text as the page shows it."""

    text: str
    """At most the wanted length, nothing invisible in it."""
    whole: int | None
    """Length of the whole text when it was cut, characters."""


def visible(text: str) -> str:
    """The text with control characters and direction marks as ⟨U+....⟩, and line breaks as spaces."""
    if text.isprintable():  # nothing that is hidden is printable: most texts are done here
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if character in _HIDDEN or unicodedata.category(character) in ("Cc", "Cs"):
        return f"⟨U+{ord(character):04X}⟩"
    return character


def cut(text: str, length: int) -> Shown:
    """The first `length` characters of a text, made visible."""
    return Shown(text=visible(text[:length]), whole=len(text) if len(text) > length else None)


def web_link(url: str | None) -> str | None:
    """The address if it may become a link: http or https, a host, no user name, nothing invisible."""
    if not url or len(url) > 2000 or url != visible(url) or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    allowed = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    return url if allowed else None


def number(value: float | None, digits: int = 3) -> str:
    """A measurement with `digits` decimals (none from 100 up), a whole number with thousands separated, a
    dash for None."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits if abs(value) < 100 else 0}f}"


def glued(text: str) -> str:
    """A sentence with a no-break space before each %, so that no line begins with the sign."""
    return text.replace(" %", "\u00a0%")


def at_path(content: Any, path: str) -> Any:
    """The value at a dotted path (`arms.0.verified.share`) of dataclasses, mappings and sequences."""
    for part in path.split("."):
        if part.isdigit():
            content = content[int(part)]
        else:
            content = content[part] if isinstance(content, dict) else getattr(content, part)
    return content
