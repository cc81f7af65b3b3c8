"""What is reviewed, named by its content, so that a decision is found again wherever the same pictures are.

A key says nothing about thresholds, verdicts, captions or places: those may change, and what was seen stays the same.

    >>> pair_key("a" * 64, "b" * 64) == pair_key("b" * 64, "a" * 64)
    False
    >>> group_key(["b", "a", "a"]) == group_key(["a", "b"])
    True
"""

import hashlib
from collections.abc import Iterable

KEY_LENGTH = 32
"""Hex digits of a key: 128 bits of a sha-256."""


def pair_key(generation: str, original: str) -> str:
    """A generation beside an original, each by the sha-256 of its pixels."""
    return _digest("pair", generation, original)


def group_key(pictures: Iterable[str]) -> str:
    """A duplicate group by its different pictures, each by the sha-256 of its pixels; how often each stands there does
    not count."""
    return _digest("group", *sorted(set(pictures)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:KEY_LENGTH]
