"""Captions of canaries: what a person might write of a poster, with names that nobody has.

Two kinds of words: common nouns, all of six letters, and names made up of syllables, which a reader can pronounce and
which stand neither in the data set's captions nor in another canary's. So a caption is new to the data set, and a hit
under it can't come from a caption that resembles it. A twin's caption has the same form, and every word in it as many
letters.

    >>> a, b = draw_captions(np.random.default_rng(0), set())
    >>> len(a) == len(b), a != b
    (True, True)
"""

from collections.abc import Collection, Sequence

import numpy as np

from scanner.errors import ScannerError

FORMS = (
    "{noun} and {other}, poster by {First} {Last} for the town of {Place}",
    "{First} {Last}: the {noun} beside a {other}, {Place} print",
    "a {noun} under the {other} of {Place}, picture by {First} {Last}",
    "study of {noun} with {other}, {First} {Last}, {Place} museum",
    "{Place} festival, {noun} over {other}, design {First} {Last}",
)
"""Natural forms of a caption, each with two nouns and three made-up names: at least nine words."""
NOUNS = (
    "anchor", "basket", "bottle", "bridge", "button", "camera", "candle", "canyon", "castle", "cherry", "circle",
    "copper", "engine", "fiddle", "garden", "guitar", "hammer", "harbor", "island", "jacket", "kettle", "ladder",
    "lizard", "marble", "mirror", "monkey", "needle", "orange", "oyster", "parrot", "pencil", "pepper", "pigeon",
    "pillow", "planet", "pocket", "rabbit", "ribbon", "rocket", "saddle", "shadow", "spider", "statue", "teapot",
    "thread", "timber", "tunnel", "turtle", "valley", "violin", "walnut", "window",
)  # fmt: skip
"""Nouns that every large set of captions has."""
_ONSETS = (
    "b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "fl", "gr", "kl", "pl", "st",
    "tr",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u")
_CODAS = ("l", "m", "n", "r", "s", "x", "sk", "nd", "rt", "mp")
_NAMES = ("First", "Last", "Place")
_TRIES = 1000


def draw_captions(rng: np.random.Generator, known: Collection[str]) -> tuple[str, str]:
    """A canary's caption and its twin's. The made-up names of both are new to `known` (words in lower case).

    Raises ScannerError when no new name is found, as where `known` holds every name that can be made up.
    """
    form = str(rng.choice(FORMS))
    shapes = [_shape(rng) for _ in _NAMES]
    nouns = rng.choice(NOUNS, 4, replace=False)
    names = _new_names((*shapes, *shapes), rng, known)
    first = dict(zip(_NAMES, names[:3], strict=True)) | {"noun": nouns[0], "other": nouns[1]}
    second = dict(zip(_NAMES, names[3:], strict=True)) | {"noun": nouns[2], "other": nouns[3]}
    return form.format(**first), form.format(**second)


def names_in(caption: str) -> set[str]:
    """The made-up names of a caption of ours, in lower case: its capitalised words."""
    words = (word.strip(",:") for word in caption.split())
    return {word.lower() for word in words if word[:1].isupper()}


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    """Letters of each part of a name: onset, vowel, onset, vowel, coda."""
    return int(rng.integers(1, 3)), 1, int(rng.integers(1, 3)), 1, int(rng.integers(1, 3))


def _new_names(shapes: Sequence[tuple[int, ...]], rng: np.random.Generator, known: Collection[str]) -> list[str]:
    """A capitalised name of each shape, all different and new to `known`."""
    names: list[str] = []
    for shape in shapes:
        tried = (_name(shape, rng) for _ in range(_TRIES))
        new = next((name for name in tried if name.lower() not in known and name not in names), None)
        if new is None:
            raise ScannerError("No made-up name is left that the captions do not hold; plant fewer canaries.")
        names.append(new)
    return names


def _name(shape: tuple[int, ...], rng: np.random.Generator) -> str:
    kinds = (_ONSETS, _VOWELS, _ONSETS, _VOWELS, _CODAS)
    fitting = ([part for part in kind if len(part) == size] for kind, size in zip(kinds, shape, strict=True))
    return "".join(str(rng.choice(parts)) for parts in fitting).capitalize()
