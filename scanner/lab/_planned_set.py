"""The planned set as a data set of its own, so that what is audited is what the target was trained on.

Shards as img2dataset writes them; every copy is a row with a key of its own, and holds the picture's file as it was.

    >>> write_planned(planned_rows(samples, {1: 400, 128: 4}, seed=0).rows, Path("planned"))     # doctest: +SKIP
"""

import io
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image

from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.samples import Sample
from scanner.shards import Picture, WrittenRow, shard_files, written_row

_ENDINGS = {"PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tiff"}
"""Of anything else jpg, which is read by what it holds like all of them."""


def write_planned(rows: Sequence[Sample], out: Path) -> None:
    """Write the rows of `planned_rows` into `out`, shard by shard; what an earlier call wrote of the same rows stays.

    Raises `UnusableInputError`, and writes nothing, when `out` holds anything else.
    """
    files: dict[str, bytes] = {}
    for shard, members in groupby(rows, key=lambda row: row.shard):
        files |= shard_files(shard, [_written(row) for row in members])
    _refuse_other_files(out, files)
    for name, content in files.items():
        if not (out / name).exists():
            with replacing(out / name) as temporary:
                temporary.write_bytes(content)


def _written(row: Sample) -> WrittenRow:
    return written_row(row.key, caption=row.caption, url=row.url, picture=_picture(row.encoded or b""))


def _picture(data: bytes) -> Picture:
    image = Image.open(io.BytesIO(data))
    return Picture(data=data, ending=_ENDINGS.get(image.format or "", "jpg"), size=image.size)


def _refuse_other_files(out: Path, files: dict[str, bytes]) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UnusableInputError(f"{out} is a file; name a folder for the planned data set.")
    for path in sorted(out.iterdir()):
        if files.get(path.name) != (path.read_bytes() if path.is_file() else None):
            raise UnusableInputError(
                f"{out} holds {path.name}, which is not of this plan; name a new or an empty folder for the data set."
            )
