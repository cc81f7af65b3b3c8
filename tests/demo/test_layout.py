"""The layout is img2dataset's: the same expectations hold for the demo and for a shard that img2dataset wrote."""

import functools
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from tests.demo.reading import PICTURE_ENDINGS, Built, read_tar

COLUMNS = {
    "caption": pl.String, "url": pl.String, "key": pl.String, "status": pl.String, "error_message": pl.String,
    "width": pl.Int32, "height": pl.Int32, "original_width": pl.Int32, "original_height": pl.Int32,
    "exif": pl.String, "sha256": pl.String,
}  # fmt: skip
STATS = (
    "count", "successes", "failed_to_download", "failed_to_resize", "duration", "start_time", "end_time", "status_dict",
)  # fmt: skip


def check_shard(folder: Path, shard: str, *, complete: bool) -> None:
    """What img2dataset promises of a shard; `complete`: every success has all three members."""
    rows = pl.read_parquet(folder / f"{shard}.parquet")
    assert rows.columns == list(COLUMNS)
    assert rows.schema == COLUMNS
    assert rows["key"].str.contains(f"^{shard}\\d{{4}}$").all()
    assert set(rows["status"]) <= {"success", "failed_to_download", "failed_to_resize"}
    _check_failures(rows.filter(pl.col("status") != "success"))
    with tarfile.open(folder / f"{shard}.tar") as tar:
        infos = tar.getmembers()
    _check_members(infos, complete=complete)
    members = read_tar(folder / f"{shard}.tar")
    success = rows.filter(status="success")
    assert set(members) == set(success["key"])
    for row in success.iter_rows(named=True):
        meta = json.loads(members[row["key"]]["json"])
        assert list(meta) == list(COLUMNS)
        assert meta == row
        assert members[row["key"]]["json"] == json.dumps(meta, indent=4).encode()
    _check_statistics(json.loads((folder / f"{shard}_stats.json").read_text(encoding="utf-8")), rows)


def _check_failures(failed: pl.DataFrame) -> None:
    unknown = failed.select("width", "height", "original_width", "original_height", "exif", "sha256")
    assert unknown.null_count().sum_horizontal().item() == unknown.height * unknown.width
    assert failed["error_message"].null_count() == 0


def _check_members(infos: list[tarfile.TarInfo], *, complete: bool) -> None:
    names = [info.name for info in infos]
    assert all(re.fullmatch(rf"\d{{9}}\.({'|'.join(PICTURE_ENDINGS)}|json|txt)", name) for name in names)
    assert {(info.mode, info.uname, info.gname, info.isfile()) for info in infos} == {
        (0o444, "bigdata", "bigdata", True)
    }
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(name[:9], []).append(name[10:])
    assert all(endings == sorted(endings) for endings in by_key.values())
    assert not complete or all(endings == ["jpg", "json", "txt"] for endings in by_key.values())


def _check_statistics(stats: dict[str, object], rows: pl.DataFrame) -> None:
    assert tuple(stats) == STATS
    counts = dict(rows["status"].value_counts().iter_rows())
    assert stats["count"] == rows.height
    assert stats["successes"] == counts.get("success", 0)
    assert stats["failed_to_download"] == counts.get("failed_to_download", 0)
    assert stats["failed_to_resize"] == counts.get("failed_to_resize", 0)
    said = rows.select(pl.col("error_message").fill_null("success"))["error_message"].value_counts()
    assert stats["status_dict"] == dict(said.iter_rows())
    assert isinstance(stats["start_time"], float)
    assert isinstance(stats["end_time"], float)
    assert isinstance(stats["duration"], float)


@pytest.mark.parametrize("shard", [f"{shard:05d}" for shard in range(5)])
def test_the_demo_has_the_layout(built: Built, shard: str) -> None:
    check_shard(built.path, shard, complete=False)


def test_hash_and_size_are_those_of_the_file(built: Built) -> None:
    broken = built.truth.filter(pl.col("kind").str.contains("^broken_|^failed_"))["key"]
    for row in built.rows.filter(~pl.col("key").is_in(broken.to_list())).iter_rows(named=True):
        file = built.file(row["key"])
        assert hashlib.sha256(file).hexdigest() == row["sha256"]
        assert (row["width"], row["height"]) == (row["original_width"], row["original_height"])
        assert max(row["width"], row["height"]) >= 64


def test_urls_are_distinct_and_lead_nowhere(built: Built) -> None:
    assert built.rows["url"].is_unique().all()
    assert built.rows["url"].str.starts_with("https://demo.invalid/").all()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a server of one picture and one file that is none."""
    folder = tmp_path / "www"
    folder.mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "red.jpg")
    (folder / "text.jpg").write_text("no picture")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.slow
def test_img2dataset_itself_has_the_layout(server: str, tmp_path: Path) -> None:
    assert metadata.version("img2dataset").startswith("1.47")
    listed = tmp_path / "urls.csv"
    listed.write_text(f"url,caption\n{server}/red.jpg,red\n{server}/gone.jpg,gone\n{server}/text.jpg,text\n")
    command = [sys.executable, "-c", "from img2dataset import main; main()"]
    command += ["--url_list", str(listed), "--input_format", "csv", "--caption_col", "caption", "--thread_count", "2"]
    command += ["--output_folder", str(tmp_path / "out"), "--output_format", "webdataset", "--resize_mode", "no"]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment["NO_ALBUMENTATIONS_UPDATE"] = "1"  # or it asks its home for a newer version
    subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    check_shard(tmp_path / "out", "00000", complete=True)
    rows = pl.read_parquet(tmp_path / "out" / "00000.parquet").sort("key")
    assert rows["status"].to_list() == ["success", "failed_to_download", "failed_to_resize"]
    assert rows["error_message"].to_list() == [None, "HTTP Error 404: File not found", "Image decoding error"]
    assert rows["exif"].to_list() == ["{}", None, None]
