"""The built data set, read without the scanner's own readers, which may share a mistake with the builder."""

import io
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from PIL import Image, ImageOps

PICTURE_ENDINGS = ("jpg", "png", "webp")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A build with its truth."""

    path: Path
    """The data set's folder."""
    truth: pl.DataFrame
    """The truth table."""
    rows: pl.DataFrame
    """The rows of all parquet files, with their `shard`."""
    members: dict[str, dict[str, bytes]] = field(repr=False)
    """Of every key that has files in a tar: ending and content."""

    def file(self, key: str) -> bytes:
        """The row's picture file."""
        (content,) = (content for ending, content in self.members[key].items() if ending in PICTURE_ENDINGS)
        return content

    def pairs(self, kind: str) -> list[tuple[bytes, bytes]]:
        """Original and copy, as files, of every row of a kind."""
        rows = self.truth.filter(kind=kind).select("original_key", "key").iter_rows()
        return [(self.file(original), self.file(key)) for original, key in rows]


def upright(file: bytes) -> Image.Image:
    """The picture as RGB, turned as its EXIF says."""
    image = Image.open(io.BytesIO(file))
    return (ImageOps.exif_transpose(image) or image).convert("RGB")


def read_tar(path: Path) -> dict[str, dict[str, bytes]]:
    """Every member of a tar by key and ending."""
    members: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path) as tar:
        for info in tar:
            key, ending = info.name.split(".")
            content = tar.extractfile(info)
            assert content is not None
            assert ending not in members.setdefault(key, {})
            members[key][ending] = content.read()
    return members


def read_build(path: Path, truth: Path) -> Built:
    """All of a build in memory (60 MB)."""
    parts = [pl.read_parquet(part).with_columns(shard=pl.lit(part.stem)) for part in sorted(path.glob("*.parquet"))]
    members = {key: files for tar in sorted(path.glob("*.tar")) for key, files in read_tar(tar).items()}
    return Built(path=path, truth=pl.read_parquet(truth), rows=pl.concat(parts), members=members)
