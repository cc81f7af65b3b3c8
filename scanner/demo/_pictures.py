"""The pictures that ship with the project: distinct clip art with captions, dedicated to the public domain.

They were chosen by `pipelines/curate`; where they come from stands in `SOURCES.md`.

    >>> from scanner.demo import demo_pictures
    >>> demo_pictures().columns[:4]
    ['picture', 'caption', 'author', 'source']
"""

from pathlib import Path

import polars as pl

_FOLDER = Path(__file__).parent


def demo_pictures() -> pl.DataFrame:
    """The 1,350 distinct pictures, one a row, `picture` (Int64) counting from 0.

    Columns: `picture`, `caption` (unique, also after case, form and punctuation are folded), `author`, `source`
    (path inside openclipart), `categories` (its folder), `family` (name of a family of look-alikes; null for
    most), `heavy` (good to be copied often: much ink, high contrast, unlike the others), `webp` (the picture as
    RGB WebP, longest side 128 to 160 pixels).
    """
    return pl.read_parquet(_FOLDER / "pictures.parquet")


def demo_links() -> pl.DataFrame:
    """The 30 pictures that openclipart files twice: `picture`, and `caption` and `source` of the second path."""
    return pl.read_parquet(_FOLDER / "links.parquet")
