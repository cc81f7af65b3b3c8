"""Choose the demo's pictures from Debian's package `openclipart-png`: distinct, well titled, worth looking at.

Every PNG of the package carries its title, author and description as text; everything in it was dedicated to the
public domain (https://packages.debian.org/openclipart-png). This recipe keeps the pictures whose title reads as a
caption, whose drawing survives at 64 pixels, and that are unlike every picture kept before them. It wrote
`pictures.parquet` and `links.parquet` in `scanner/demo` (see `SOURCES.md` there) and is kept so that the choice can be
read and repeated, byte by byte with the same Pillow and polars; nothing else needs it.

    python -m pipelines.curate DIRECTORY_OF_OPENCLIPART_PNG OUT
"""

from pathlib import Path

from pipelines.curate._choose import choose, links
from scanner.errors import UnusableInputError

__all__ = ["curate"]


def curate(root: Path, out: Path) -> tuple[Path, Path]:
    """Write `pictures.parquet` and `links.parquet` into `out` (made where it is missing); gives their paths.

    `root` is the package's folder `png`; 1:0.18+dfsg-19 takes two minutes. Raises UnusableInputError, and writes
    nothing, when `root` holds no PNG.
    """
    if next(root.rglob("*.png"), None) is None:
        raise UnusableInputError(f"{root} holds no PNG; name the folder that openclipart-png installs.")
    pictures = choose(root)
    second = links(root, pictures)
    out.mkdir(parents=True, exist_ok=True)
    paths = (out / "pictures.parquet", out / "links.parquet")
    for path, table in zip(paths, (pictures, second), strict=True):
        table.write_parquet(path, compression="zstd")
    return paths
