"""Captions: when two are the same, when they are near-duplicates, and how many rows and pictures carry each.

>>> from scanner.duplicates.captions import count_captions
>>> count_captions(samples, members, groups).captions                      # doctest: +SKIP
"""

from scanner.duplicates.captions._identity import prompt_id, prompt_ids
from scanner.duplicates.captions._near import near_captions
from scanner.duplicates.captions._normal import normalise_caption, normalise_captions
from scanner.duplicates.captions._tables import CountedCaptions, count_captions
from scanner.duplicates.captions._words import Words, words_of

__all__ = [
    "CountedCaptions",
    "Words",
    "count_captions",
    "near_captions",
    "normalise_caption",
    "normalise_captions",
    "prompt_id",
    "prompt_ids",
    "words_of",
]
