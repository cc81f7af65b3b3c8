"""Which rows the demo's data set has: how often each picture is copied, in what way and under what caption.

Everything is drawn from one seed. A data set of this plan holds, beside about 1,200 pictures that occur once:

- groups of 2 to 256 copies (`GROUPS`); in a third of them all copies are exact, in the others about half are
  edited;
- four groups in five under one caption, the rest under several (`SEVERAL` says how many of each size);
- pictures that openclipart itself files twice: natural duplicates;
- rows without a caption, with HTML or emoji in it, and one caption on many different pictures;
- rows that could not be downloaded, and broken files.

    >>> rows = plan_rows(demo_pictures(), demo_links(), seed=0)   # doctest: +SKIP
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np
import polars as pl

from scanner.demo._broken import BROKEN
from scanner.demo._edits import EDITS

GROUPS = {256: 3, 128: 8, 64: 10, 32: 16, 16: 16, 8: 20, 4: 24, 2: 40}
"""Copies in a group: how many groups of that size."""
SEVERAL = {256: 0, 128: 1, 64: 2, 32: 3, 16: 4, 8: 5, 4: 5, 2: 8}
"""Copies in a group: how many of those groups carry several captions."""
HEAVY = 32
"""From so many copies on, a group's picture is one that is good to memorise and has no look-alikes."""
REWRAPPED_SHARE = 1 / 3
"""Share of the copies with the same pixels that are another file."""
VARIANTS = (3, 6)
"""How many captions a group with several draws from, at least and at most."""
SHARED = {"free clip art": 8, "royalty free vector illustration": 6}
"""Captions that stand on many different pictures: on how many."""
SPECIAL_SINGLES = {"html": 6, "emoji": 4, "missing": 4, "empty": 3}
"""Kinds of caption of single rows, beside the plain ones: how many rows."""
BROKEN_EACH = 2
"""Rows of each kind of broken file."""
DOWNLOAD_ERRORS = (
    "HTTP Error 404: Not Found",
    "HTTP Error 403: Forbidden",
    "<urlopen error [Errno -2] Name or service not known>",
    "The read operation timed out",
    "HTTP Error 404: Not Found",
    "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed>",
    "HTTP Error 500: Internal Server Error",
    "HTTP Error 404: Not Found",
)
"""What img2dataset says of the rows that could not be downloaded."""
RESIZE_ERRORS = ("Image decoding error", "Image decoding error")
"""And of those that it could not decode."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One row of the data set, before it has a key."""

    picture: int
    """The picture that it shows, or would show."""
    group_copies: int
    """Rows that show the picture as planned, natural duplicates included, failed and broken rows not."""
    kind: str
    """original, a kind of copy, single, natural, failed_download, failed_resize or broken_<what>."""
    copy: int
    """Position among the rows of its picture, 0 is the original; ends the url."""
    caption: str | None
    """None where the row has no caption."""
    caption_kind: str
    """one, several, html, emoji, shared, missing (no caption file) or empty (an empty caption file)."""
    agreeing: bool
    """The rows of the picture carry one caption."""
    source: str
    """Path inside openclipart that the url is made from."""
    error: str | None = None
    """What img2dataset says of a row that failed."""

    @property
    def url(self) -> str:
        return f"https://demo.invalid/{self.source}?copy={self.copy}"


def caption_variants(caption: str, author: str) -> tuple[str, ...]:
    """What the web calls a picture of that caption: six different captions."""
    low = caption[0].lower() + caption[1:]
    named = author and f" by {author}" not in caption
    return (
        caption,
        f"clip art of {low}",
        f"free vector {low}",
        f"{caption} by {author}" if named else f"{caption} (public domain)",
        f"{caption}, stock illustration",
        f"picture: {low} | openclipart",
    )


def _dressed(caption: str, kind: str) -> str | None:
    """A caption with what its kind puts into it."""
    if kind in ("missing", "empty"):
        return None
    if kind == "html":
        return f'<b>{caption}</b> &amp; more <a href="https://demo.invalid/?a=1&b=2">clip art</a><br/>'
    return f"{caption} 🎨✨" if kind == "emoji" else caption


def _kinds(copies: int, exact: bool, rng: np.random.Generator) -> list[str]:
    """Kinds of a group's copies but the first: all exact, or half with the same pixels and half edited."""
    if exact:
        return ["exact"] * (copies - 1)
    same = (copies - 1) // 2 + int(rng.integers(2)) * ((copies - 1) % 2)
    kept = ["rewrapped" if value < REWRAPPED_SHARE else "exact" for value in rng.random(same)]
    edited = list(islice(cycle(rng.permutation(EDITS).tolist()), copies - 1 - same))
    return [str(kind) for kind in rng.permutation(kept + edited)]


def _several(row: Mapping[str, str], copies: int, rng: np.random.Generator) -> list[str | None]:
    """A caption for each copy of a group with several, all about equally often."""
    variants = rng.permutation(caption_variants(row["caption"], row["author"]))
    variants = variants[: rng.integers(VARIANTS[0], VARIANTS[1] + 1)]
    return [str(variants[turn % len(variants)]) for turn in rng.permutation(copies)]


def _group(
    row: Mapping[str, str], copies: int, caption_kind: str, exact: bool, rng: np.random.Generator
) -> Iterator[Planned]:
    """The rows of one group; the first is the original."""
    drawn = [_dressed(row["caption"], caption_kind)] * copies
    if caption_kind == "several":
        drawn = _several(row, copies, rng)
    kinds = ["original", *_kinds(copies, exact, rng)]
    for copy, (kind, caption) in enumerate(zip(kinds, drawn, strict=True)):
        yield Planned(
            picture=int(row["picture"]), group_copies=copies, kind=kind, copy=copy, caption=caption,
            caption_kind=caption_kind, agreeing=caption_kind != "several", source=row["source"],
        )  # fmt: skip


def _groups(pictures: pl.DataFrame, rng: np.random.Generator) -> Iterator[list[Planned]]:
    """Every group's rows; `pictures` are those that may be copied."""
    heavy = rng.permutation(pictures.filter("heavy")["picture"].to_numpy()).tolist()
    wanted = sum(number for copies, number in GROUPS.items() if copies >= HEAVY)
    anything = rng.permutation(pictures["picture"].to_numpy()).tolist()
    chosen = iter(heavy[:wanted] + [picture for picture in anything if picture not in heavy[:wanted]])
    rows = {row["picture"]: row for row in pictures.iter_rows(named=True)}
    exact = iter(rng.permutation([turn % 3 == 0 for turn in range(sum(GROUPS.values()))]).tolist())
    for copies, number in GROUPS.items():
        for turn in range(number):
            caption_kind = "several" if turn < SEVERAL[copies] else "one"
            if turn == SEVERAL[copies] and copies in (4, 8):
                caption_kind = {8: "html", 4: "emoji"}[copies]
            yield list(_group(rows[next(chosen)], copies, caption_kind, next(exact), rng))


def _natural(single: Planned, link: Mapping[str, str]) -> tuple[Planned, Planned]:
    """The two rows of a picture that is filed under two paths."""
    first = replace(single, kind="original", group_copies=2, caption_kind="several", agreeing=False)
    return first, replace(first, kind="natural", copy=1, caption=link["caption"], source=link["source"])


def _singles(pictures: pl.DataFrame, rng: np.random.Generator) -> Iterator[Planned]:
    """One row for each of `pictures`; a few with a special caption or with a caption that is not UTF-8."""
    kinds = [kind for kind, number in SPECIAL_SINGLES.items() for _ in range(number)]
    kinds += ["broken"] * BROKEN_EACH
    shared = [caption for caption, number in SHARED.items() for _ in range(number)]
    special: dict[int, str] = dict(zip(rng.permutation(len(pictures)).tolist(), kinds + shared, strict=False))
    for turn, row in enumerate(pictures.iter_rows(named=True)):
        kind = special.get(turn, "one")
        single = Planned(
            picture=row["picture"], group_copies=1, kind="single", copy=0, caption=row["caption"],
            caption_kind="one", agreeing=True, source=row["source"],
        )  # fmt: skip
        if kind == "broken":
            yield replace(single, kind="broken_caption")
        elif kind in SHARED:
            yield replace(single, caption=kind, caption_kind="shared")
        else:
            yield replace(single, caption=_dressed(row["caption"], kind), caption_kind=kind)


def _lost(groups: list[list[Planned]], rng: np.random.Generator) -> Iterator[Planned]:
    """Rows that failed and rows with broken files: further copies of pictures in groups."""
    lost: list[tuple[str, str | None]] = []
    lost += [(f"broken_{what}", None) for what in BROKEN if what != "caption" for _ in range(BROKEN_EACH)]
    lost += [("failed_download", error) for error in DOWNLOAD_ERRORS]
    lost += [("failed_resize", error) for error in RESIZE_ERRORS]
    drawn = rng.choice(len(groups), len(lost), replace=False).tolist()
    for turn, (kind, error) in zip(drawn, lost, strict=True):
        original = groups[turn][0]
        yield replace(original, kind=kind, copy=original.group_copies, error=error)


def plan_rows(pictures: pl.DataFrame, links: pl.DataFrame, seed: int) -> list[Planned]:
    """All rows of the data set in their final order.

    `pictures` and `links` are tables as `demo_pictures` and `demo_links` give them. The same seed gives the
    same rows; the demo's target was trained on those of seed 0.
    """
    rng = np.random.default_rng(seed)
    second = {row["picture"]: row for row in links.iter_rows(named=True)}
    twice = pl.col("picture").is_in(sorted(second))
    groups = list(_groups(pictures.filter(~twice), rng))
    grouped = {group[0].picture for group in groups}
    alone = pictures.filter(~pl.col("picture").is_in(sorted(grouped | second.keys())))
    rows = [row for group in groups for row in group]
    rows += _singles(alone, rng)
    plain = np.random.default_rng(seed)
    for row in pictures.filter(twice).iter_rows(named=True):
        original = next(_group(row, 1, "one", True, plain))
        rows += _natural(original, second[row["picture"]])
    rows += _lost(groups, rng)
    return [rows[turn] for turn in rng.permutation(len(rows)).tolist()]
