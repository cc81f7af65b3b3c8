"""Why an API gave no image: what it is called, whether asking again may help, and whom it concerns."""

import email.utils
import time
from dataclasses import dataclass

LONGEST_WAIT = 600.0
"""Seconds above which a server's Retry-After is not sat out: the attack stops, and is resumed later."""


@dataclass(kw_only=True, eq=False)
class Fault(Exception):
    """One request that gave no image."""

    defect: str
    """Short and countable, as `Drawn.defect`."""
    note: str
    """One sentence; that with which the attack stops where `concerns_all`."""
    retries: int | None = 0
    """How often asking again may help; None: as often as the user says."""
    wait: float | None = None
    """Seconds that the server asks for."""
    concerns_all: bool = False
    """No other image would fare better."""
    parameter: str | None = None
    """The part of the request that the server objects to, where that matters: response_format or prompt."""


def one_sentence(text: str, *, most: int = 200) -> str:
    """The first sentence of a server's words on one line, cut to `most` characters.

    >>> one_sentence("Your request was\\n rejected. Please try another prompt.")
    'Your request was rejected.'
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    end = line.find(". ")
    line = line if end < 0 else line[: end + 1]
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now, 0 at least: it is a number of seconds or a date. None where it is neither.

    >>> seconds_to_wait("7")
    7.0
    """
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
