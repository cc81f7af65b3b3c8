"""When are two captions the same? Unicode form, case, punctuation and spacing do not tell captions apart.

>>> normalise_caption("  A “red” fox,\\tsitting!  ")
'a red fox sitting'
"""

import unicodedata

import polars as pl


class _Folding(dict[int, str]):
    """What `str.translate` puts in a character's place, decided when it is first met.

    Punctuation, ASCII symbols, spacing and control characters become a space; invisible format characters (a soft
    hyphen, the joiner inside an emoji) vanish; letters, marks, digits and other symbols (emoji) stay.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Cf":
            folded = ""
        elif category[0] in "PZC" or (category[0] == "S" and code < 128):
            folded = " "
        else:
            folded = character
        self[code] = folded
        return folded


_FOLDING = _Folding()


def normalise_caption(caption: str) -> str:
    """The caption in NFKC, casefolded, punctuation and spacing folded to single spaces; may be empty."""
    folded = unicodedata.normalize("NFKC", caption).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).translate(_FOLDING).split())


def normalise_captions(captions: pl.Series) -> pl.Series:
    """Normalised captions of a String column; null where there is no caption or nothing of it is left.

    Captions of ASCII characters alone take a short way, to the same end: no normal form changes them, and whatever is
    no letter and no digit there is punctuation, a symbol, spacing or a control character.
    """
    name, captions = captions.name, captions.cast(pl.String).alias("caption")
    plain = captions.str.len_bytes() == captions.str.len_chars()
    others = captions.filter(~plain).unique()
    normal = pl.Series([normalise_caption(caption) for caption in others], dtype=pl.String)
    folded = captions.str.to_lowercase().str.replace_all("[^a-z0-9]+", " ").str.strip_chars(" ")
    if len(others):
        rest = captions.replace_strict(others, normal, default=None, return_dtype=pl.String)
        folded = folded.zip_with(plain.fill_null(True), rest)
    return folded.replace("", None).alias(name)
