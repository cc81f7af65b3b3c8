"""The choice: which pictures are kept, which of them may be copied often, which the package files twice.

>>> choose(Path("openclipart-png")).columns                  # doctest: +SKIP
['picture', 'caption', 'author', 'source', 'categories', 'family', 'heavy', 'webp']
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from pipelines.curate._looks import Look, ink_and_contrast, look, near, nearest, picture, webp
from pipelines.curate._rules import FAMILIES, family, left_out_by_hand, noun, suitable
from pipelines.curate._titles import Source, caption, folded, sources, titled

LEAST_INK = 0.065
"""Smallest share of the square that is not nearly white, at 64 pixels."""
LEAST_CONTRAST = 0.105
"""Smallest standard deviation of the square at 64 pixels, on [0, 1]."""
HEAVY_INK, HEAVY_CONTRAST, HEAVY_UNLIKE = 0.30, 0.22, 0.15
"""Least ink, contrast and difference (as `NEAR_LOOK`, in grey) to any other picture of a heavy group's picture."""
LINKS = 30
"""Pictures of the package that are filed under two paths, taken as natural duplicates."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A picture that is good enough by itself."""

    source: Source
    """Where it comes from."""
    caption: str
    """Its caption."""
    family: str | None
    """Its family of look-alikes."""
    image: Image.Image
    """The picture, shrunk, on white."""
    strong: bool
    """Much ink and high contrast."""
    look: Look
    """What tells it from others."""


def captioned(root: Path) -> list[tuple[Source, str]]:
    """Suitable sources whose caption reads well and that no other source carries, in no order of content."""
    left_out = left_out_by_hand()
    found = [(source, caption(source)) for source in titled(list(sources(root)))]
    carried = Counter(folded(text) for _, text in found if text)
    kept = [
        (source, text)
        for source, text in found
        if text is not None and carried[folded(text)] == 1 and source.path not in left_out
        if suitable(source.path, f"{text} {source.title} {source.description}")
    ]
    return sorted(kept, key=lambda item: zlib.crc32(item[0].path.encode()))


def _candidate(root: Path, source: Source, text: str, name: str | None) -> Candidate | None:
    """The source of the family `name` with its picture; None where there is too little of a picture to see."""
    image = picture(root / source.path, source.path)
    if image is None:
        return None
    ink, contrast = ink_and_contrast(image)
    if ink < LEAST_INK or contrast < LEAST_CONTRAST:
        return None
    return Candidate(
        source=source,
        caption=text,
        family=name,
        image=image,
        strong=ink >= HEAVY_INK and contrast >= HEAVY_CONTRAST,
        look=look(image),
    )


def _distinct(root: Path) -> Iterator[Candidate]:
    """The candidates that are unlike every one before them, no family beyond its size."""
    thumbnails, hashes = np.zeros((0, 3072), np.float32), np.zeros((0, 64), np.bool_)
    members: Counter[str | None] = Counter()
    for source, text in captioned(root):
        name = family(source.path, text)
        if name is not None and members[name] >= FAMILIES[name][1]:
            continue
        one = _candidate(root, source, text, name)
        if one is None or near(one.look, thumbnails, hashes):
            continue
        thumbnails, hashes = np.vstack([thumbnails, one.look.thumbnail]), np.vstack([hashes, one.look.phash])
        members[name] += 1
        yield one


def _row(one: Candidate) -> dict[str, object]:
    return {
        "caption": one.caption, "author": one.source.author, "source": one.source.path,
        "categories": one.source.path.rsplit("/", 1)[0], "family": one.family,
        "heavy": one.strong and one.family is None, "webp": webp(one.image),
    }  # fmt: skip


def choose(root: Path) -> pl.DataFrame:
    """The pictures to ship, one a row, in order of their path (columns as in `scanner/demo/SOURCES.md`)."""
    kept = list(_distinct(root))
    unlike = nearest(np.stack([one.look.grey for one in kept])) >= HEAVY_UNLIKE
    frame = pl.DataFrame([_row(one) for one in kept], schema_overrides={"family": pl.String})
    frame = frame.with_columns(pl.col("heavy") & pl.Series(unlike)).sort("source")
    return frame.with_row_index("picture").cast({"picture": pl.Int64})


def _second_paths(root: Path) -> list[Path]:
    """The links of the package, in no order of content."""
    return sorted((p for p in root.rglob("*.png") if p.is_symlink()), key=lambda p: zlib.crc32(p.name.encode()))


def links(root: Path, pictures: pl.DataFrame) -> pl.DataFrame:
    """Second paths of chosen pictures, each with its title and the second folder as caption: natural duplicates."""
    chosen = {row["source"]: row for row in pictures.iter_rows(named=True)}
    rows: dict[int, dict[str, object]] = {}
    for path in _second_paths(root):
        first = chosen.get(path.resolve().relative_to(root.resolve()).as_posix())
        source = path.relative_to(root).as_posix()
        kind = noun(source)
        if first is None or kind is None or first["picture"] in rows or len(rows) == LINKS:
            continue
        title = re.sub(r", [a-z ]+ clip art$|, flag$", "", first["caption"])
        rows[first["picture"]] = {"picture": first["picture"], "caption": f"{title} ({kind})", "source": source}
    schema = {"picture": pl.Int64, "caption": pl.String, "source": pl.String}
    return pl.DataFrame(list(rows.values()), schema=schema).sort("picture")
