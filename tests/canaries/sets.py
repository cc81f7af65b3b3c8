"""Small data sets of every layout with images, each written as its usual tool writes it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
from datasets import Dataset, Features, Image, Value

from tests.samples.pictures import encode, photo_like

ROWS = 6
WIDTH, HEIGHT = 30, 20
IMAGES = [encode(photo_like(seed, HEIGHT, WIDTH), "JPEG", quality=95) for seed in range(ROWS)]
CAPTIONS = [f"a photograph of hill number {row}" for row in range(ROWS)]


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def img2dataset(folder: Path) -> Path:
    """Tars with .jpg, .txt and .json, the parquet beside them, and a score that training code may select by."""
    records = []
    with tarfile.open(folder / "00000.tar", "w") as tar:
        for row in range(ROWS):
            key = f"{row:09d}"
            record = {"caption": CAPTIONS[row], "url": f"https://example.org/{row}", "key": key, "status": "success",
                      "error_message": None, "width": WIDTH, "height": HEIGHT, "exif": "{}", "punsafe": 0.01,
                      "sha256": hashlib.sha256(IMAGES[row]).hexdigest()}  # fmt: skip
            records.append(record)
            add(tar, f"{key}.jpg", IMAGES[row])
            add(tar, f"{key}.json", json.dumps(record).encode())
            add(tar, f"{key}.txt", CAPTIONS[row].encode())
    pl.DataFrame(records, schema_overrides={"error_message": pl.String}).write_parquet(folder / "00000.parquet")
    return folder


def plain_tars(folder: Path) -> Path:
    with tarfile.open(folder / "train.tar", "w") as tar:
        for row in range(ROWS):
            add(tar, f"{row}.png", encode(photo_like(row, HEIGHT, WIDTH)))
            add(tar, f"{row}.txt", CAPTIONS[row].encode())
    return folder


def texts(folder: Path) -> Path:
    for row in range(ROWS):
        (folder / f"{row}.jpg").write_bytes(IMAGES[row])
        (folder / f"{row}.txt").write_text(CAPTIONS[row])
    return folder


def listed(kind: str) -> Callable[[Path], Path]:
    """An imagefolder with its table."""

    def write(folder: Path) -> Path:
        for row in range(ROWS):
            (folder / f"{row}.jpg").write_bytes(IMAGES[row])
        table = pl.DataFrame({"file_name": [f"{row}.jpg" for row in range(ROWS)], "text": CAPTIONS, "score": 0.5})
        path = folder / f"metadata.{kind}"
        {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}[kind](path)
        return folder

    return write


def hugging_face() -> Dataset:
    images = [{"bytes": IMAGES[row], "path": f"{row}.jpg"} for row in range(ROWS)]
    features = Features({"image": Image(), "text": Value("string"), "uid": Value("int64")})
    return Dataset.from_dict({"image": images, "text": CAPTIONS, "uid": list(range(ROWS))}, features=features)


def parquet(folder: Path) -> Path:
    hugging_face().to_parquet(folder / "train.parquet")
    return folder


def saved(folder: Path) -> Path:
    hugging_face().save_to_disk(str(folder))
    return folder


def binary_parquet(folder: Path) -> Path:
    """As img2dataset's `parquet` output: bytes in a column, without a key of their own."""
    pl.DataFrame({"jpg": IMAGES, "TEXT": CAPTIONS, "n": list(range(ROWS))}).write_parquet(folder / "00000.parquet")
    return folder


def paths(folder: Path) -> Path:
    """Parquet that names image files."""
    (folder / "photos").mkdir()
    for row in range(ROWS):
        (folder / "photos" / f"{row}.jpg").write_bytes(IMAGES[row])
    table = pl.DataFrame({"image_path": [f"photos/{row}.jpg" for row in range(ROWS)], "caption": CAPTIONS})
    table.write_parquet(folder / "table.parquet")
    return folder


SETS: dict[str, Callable[[Path], Path]] = {
    "img2dataset": img2dataset,
    "plain_tars": plain_tars,
    "texts": texts,
    "csv": listed("csv"),
    "jsonl": listed("jsonl"),
    "listed_parquet": listed("parquet"),
    "parquet": parquet,
    "saved": saved,
    "binary_parquet": binary_parquet,
    "paths": paths,
}
