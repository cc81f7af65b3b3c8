"""The risk in words: which axis it stands on, the counts behind it, and what makes it small.

>>> copies_words(312, share=0.97, shared_words=0.98)
'312 copies of one picture, 97 % under this caption'
>>> found_words(others=0, near=0, specificity=1.0)
'found nowhere else'
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from scanner.prompts._risk import ENOUGH, TEMPLATE_WEIGHT

BOILERPLATE = 0.1 / ENOUGH
"""Specificity below which a caption over other pictures is called boilerplate: fewer than one in ten of its rows is
here."""
_WORTH = 0.05
"""How much more the words must be shared than the caption for it to be said."""


def reasons(candidates: pl.DataFrame) -> pl.Series:
    """One sentence for each row of `scanner.prompts._candidates`, with its `agreement`."""
    return pl.Series("reason", list(_reasons(candidates)), dtype=pl.String)


_COLUMNS = (
    *("copies", "caption_copies", "caption_groups", "near_pictures", "specificity", "shared_words", "copy_risk"),
    *("template_part", "family_copies", "family_pictures", "family_share", "family_near", "family_near_here"),
    *("family_specificity", "agreement"),
)


def _reasons(candidates: pl.DataFrame) -> Iterator[str]:
    for row in candidates.select(_COLUMNS).iter_rows():
        facts = dict(zip(_COLUMNS, row, strict=True))
        yield _reason(facts)


def _reason(facts: dict[str, Any]) -> str:
    template = facts["template_part"]
    if template is not None and TEMPLATE_WEIGHT * template > facts["copy_risk"]:
        others = facts["near_pictures"] - facts["family_near_here"]
        said = [_template_words(facts), found_words(others, others, facts["family_specificity"])]
    else:
        others, near = facts["caption_groups"] - 1, facts["near_pictures"] - 1
        share = facts["caption_copies"] / facts["copies"]
        said = [
            copies_words(facts["copies"], share, facts["shared_words"]),
            found_words(others, near, facts["specificity"]),
        ]
    if facts["agreement"] is not None:
        said.append(f"text and picture agree more than in {_percent(facts['agreement'])} of the pairs of this set")
    return ", ".join(said)


def copies_words(copies: int, share: float, shared_words: float) -> str:
    """`312 copies of one picture, 97 % under this caption`."""
    return f"{copies:,} copies of one picture, {_under(share, shared_words)}"


def _template_words(facts: dict[str, Any]) -> str:
    own = "" if facts["copies"] == 1 else f" and {facts['copies']:,} copies of this one"
    return (
        f"template: {facts['family_pictures']:,} pictures that share a part, {facts['family_copies']:,} rows{own}, "
        f"{_share(facts['family_share'])} under this caption{' or a near-duplicate' * facts['family_near']}"
    )


def _under(share: float, shared_words: float) -> str:
    words = f" (its words on {_percent(shared_words)})" if shared_words - share >= _WORTH else ""
    return f"{_share(share)} under this caption{words}"


def _share(share: float) -> str:
    return "all" if share == 1 else _percent(share)


def found_words(others: int, near: int, specificity: float) -> str:
    """Where else the caption stands: on `others` other pictures, on `near` with its near-duplicates counted."""
    if not near:
        return "found nowhere else"
    found = f"found on {_pictures(others)}" if others else f"a near-duplicate of it on {_pictures(near)}"
    return f"{found}: boilerplate, which points at none of them" if specificity < BOILERPLATE else found


def _pictures(others: int) -> str:
    return f"{others:,} other picture{'s' if others > 1 else ''}"


def _percent(share: float) -> str:
    if share == 1:
        return "100 %"
    return f"{min(max(round(100 * share), 1), 99)} %"
