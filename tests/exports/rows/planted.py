"""A small data set as img2dataset writes it, with DataComp's uids: known copies, rows that fail, shared urls."""

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from tests.samples.pictures import encode, photo_like


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the set; `picture` is None for a failed download."""

    key: str
    picture: int | None
    side: int = 96
    caption: str = ""
    url: str = ""
    broken: bool = False

    @property
    def uid(self) -> str:
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]

    @property
    def image(self) -> bytes:
        picture = Image.fromarray(photo_like(self.picture, 128, 128)).resize((self.side, self.side))
        content = encode(picture, "JPEG", quality=95)
        return content[: len(content) // 2] if self.broken else content


FOX, SEA = "a red fox in the snow", "blue sea at night"
SHARDS = {
    "00000": [
        Row(key="000000000", picture=None, caption="gone", url="https://e.org/404"),
        Row(key="000000001", picture=1, caption=FOX, url="https://e.org/fox"),
        Row(key="000000002", picture=1, side=128, caption=FOX, url="https://e.org/fox-large"),
        Row(key="000000003", picture=2, caption="a green field", url="https://e.org/fox"),
        Row(key="000000004", picture=9, caption="broken", url="https://e.org/broken", broken=True),
        Row(key="000000005", picture=1, caption="winter animal", url="https://e.org/fox-2"),
    ],
    "00001": [
        Row(key="000010000", picture=3, caption=SEA, url="https://e.org/sea-1"),
        Row(key="000010001", picture=3, caption=SEA, url="https://e.org/sea-2"),
        Row(key="000010002", picture=4, caption="an old harbour"),
        Row(key="000010003", picture=1, caption=FOX, url="https://e.org/fox-3"),
    ],
}
"""Fox: four rows, of which 000000002 is the largest; sea: two equal ones; 000000003 has the url of a fox that goes."""
KEPT = {"000000002", "000010000"}
DROPPED = {"000000001", "000000005", "000010001", "000010003"}


def write_dataset(folder: Path) -> Path:
    """The shards with the parquet and the counts beside each."""
    folder.mkdir(parents=True)
    for shard, rows in SHARDS.items():
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for row in rows:
                if row.picture is not None:
                    about = {"uid": row.uid, "url": row.url or None, "caption": row.caption}
                    _add(tar, f"{row.key}.jpg", row.image)
                    _add(tar, f"{row.key}.json", json.dumps(about).encode())
                    _add(tar, f"{row.key}.txt", row.caption.encode())
        records = [
            {
                "key": row.key,
                "status": "failed_to_download" if row.picture is None else "success",
                "error_message": "HTTP Error 404: Not Found" if row.picture is None else None,
                "caption": row.caption,
                "url": row.url or None,
            }
            for row in rows
        ]
        pl.DataFrame(records).write_parquet(folder / f"{shard}.parquet")
        failed = sum(row.picture is None for row in rows)
        stats = {"count": len(rows), "successes": len(rows) - failed, "failed_to_download": failed}
        (folder / f"{shard}_stats.json").write_text(json.dumps(stats | {"failed_to_resize": 0}))
    return folder


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
