"""Captions with edits that leave them near-duplicates, and edits that make them other captions."""

from collections.abc import Callable

import numpy as np

_TEXT = """
weathered lighthouse granite harbour copper kettle velvet armchair walnut bookshelf silver teapot crimson maple leaves
frozen waterfall mountain meadow bicycle canvas sketch vintage airplane propeller orchard blossom lantern sailor whale
anchor compass marble column garden fountain autumn forest river bridge castle tower window curtain ceramic vase linen
pillow pocket watch chain fox owl sleepy tabby kitten puppy market street cafe rain umbrella
"""
WORDS = tuple(_TEXT.split())
"""Words of the plain captions."""
COLOURS = ("red", "blue", "green", "black", "white", "yellow")
SHOPS = ("etsy", "redbubble prints", "society6 shop", "fine art america", "getty images stock photo")

Edit = Callable[[list[str], np.random.Generator], list[str]]


def plain(count: int, words: tuple[int, int], rng: np.random.Generator) -> list[list[str]]:
    """Captions of a number of words between two bounds, with a colour and small words among them."""
    captions = []
    for _ in range(count):
        chosen = list(rng.choice(WORDS, rng.integers(words[0], words[1] + 1) - 1, replace=False))
        chosen.insert(int(rng.integers(len(chosen) + 1)), str(rng.choice(COLOURS)))
        captions.append(["a", *chosen[:3], "of", *chosen[3:]])
    return captions


def _suffix(caption: list[str], rng: np.random.Generator) -> list[str]:
    return [*caption, *str(rng.choice(SHOPS)).split()]


def _numbered(caption: list[str], rng: np.random.Generator) -> list[str]:
    return [*caption, str(rng.integers(10, 99_999))]


def _reordered(caption: list[str], rng: np.random.Generator) -> list[str]:
    return [caption[i] for i in rng.permutation(len(caption))]


def _mistyped(caption: list[str], rng: np.random.Generator) -> list[str]:
    """One word with a letter doubled, left out, replaced or swapped with the next, after the first."""
    word = int(rng.choice([i for i, word in enumerate(caption) if len(word) > 3]))
    text = caption[word]
    at, kind = int(rng.integers(1, len(text) - 1)), int(rng.integers(4))
    edited = (
        text[:at] + text[at] + text[at:],
        text[:at] + text[at + 1 :],
        text[:at] + "q" + text[at + 1 :],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )[kind]
    return [*caption[:word], edited, *caption[word + 1 :]]


def _small_words(caption: list[str], _: np.random.Generator) -> list[str]:
    return [word for word in caption if word not in ("a", "of")]


NEAR: dict[str, Edit] = {
    "suffix": _suffix,
    "number": _numbered,
    "order": _reordered,
    "typing error": _mistyped,
    "small words": _small_words,
}
"""Edits that leave a caption the same to a person."""


def _recoloured(caption: list[str], rng: np.random.Generator) -> list[str]:
    return [str(rng.choice([c for c in COLOURS if c != word])) if word in COLOURS else word for word in caption]


def _another_word(caption: list[str], rng: np.random.Generator) -> list[str]:
    at = int(rng.choice([i for i, word in enumerate(caption) if word in WORDS]))
    return [*caption[:at], str(rng.choice([w for w in WORDS if w not in caption])), *caption[at + 1 :]]


def _another_half(caption: list[str], rng: np.random.Generator) -> list[str]:
    """Boilerplate shared, the rest another."""
    half = len(caption) // 2
    return [*caption[:half], *rng.choice([w for w in WORDS if w not in caption], len(caption) - half, replace=False)]


OTHER: dict[str, Edit] = {
    "another colour": _recoloured,
    "another word": _another_word,
    "another half": _another_half,
}
"""Edits that make it another caption: of a short caption any word, of a long one half of them."""
