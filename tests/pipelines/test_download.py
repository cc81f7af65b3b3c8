"""A list of URLs is downloaded by the real img2dataset from a server on the loopback; every row has its outcome."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.cli import app, exit_code_of
from scanner.carried import read_carried
from scanner.images import images_of
from scanner.run import Run
from scanner.samples import decode, open_dataset
from scanner.tables import ERRORS, SAMPLES, SHARDS
from tests.pipelines.image_server import ImageServer, image_server, picture
from tests.pipelines.test_cli import process


def command(*arguments: object) -> str:
    """What a command that ends well says on standard output; in this process, where torch is loaded once."""
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        code = exit_code_of(app, list(map(str, arguments)))
    assert code == 0, errors.getvalue()
    return said.getvalue()


def refused(*arguments: object) -> str:
    """The one sentence with which a command refuses."""
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        code = exit_code_of(app, list(map(str, arguments)))
    assert (code, said.getvalue(), errors.getvalue().count("\n")) == (2, "", 1)
    return errors.getvalue()


CHOSEN = ("--where", "punsafe < 0.5", "--carry", "LICENSE", "--carry", "original_width", "--shard-rows", "6")
FAST = ("--model", "demo", "--timeout", "1", "--retries", "0", "--processes", "1", "--threads", "8")
ROWS: list[tuple[str, str | None, float | None]] = [
    ("good/1.jpg", "a first picture", 0.0),
    ("missing/1.jpg", "gone", 0.0),
    ("broken/1.jpg", "out of order", 0.0),
    ("slow/1.jpg", "too late", 0.0),
    ("cut/1.jpg", "half of it", 0.0),
    ("page/1.jpg", "a page", 0.0),
    ("noai/1.jpg", "not for this", 0.0),
    ("good/9.jpg", "set aside", 0.9),
    ("good/2.png", "a second picture", 0.1),
    ("wide/3.jpg", None, 0.0),
    ("moved/1.jpg", "a trap", 0.0),
    ("good/8.jpg", "unknown", None),
    ("", "nowhere", 0.0),
    ("good/1.jpg", "a first picture", 0.0),
]
LOST = {
    "101": ("download", "failed_to_download", "HTTP Error 404: Not Found"),
    "102": ("download", "failed_to_download", "HTTP Error 500: Internal Server Error"),
    "103": ("download", "failed_to_download", "timed out"),
    "104": ("download", "failed_to_download", "IncompleteRead"),
    "105": ("download", "failed_to_resize", "Image decoding error"),
    "106": ("download", "failed_to_download", "Use of image disallowed by X-Robots-Tag directive"),
    "107": ("select", "where", "The condition punsafe < 0.5 does not hold for it."),
    "110": ("download", "failed_to_download", "Redirection to url 'file:///etc/hostname' is not allowed"),
    "111": ("select", "where", "The condition punsafe < 0.5 does not hold for it."),
    "112": ("download", "no_url", "There is no address"),
}


def write_list(server: ImageServer, path: Path) -> Path:
    """The rows as LAION-400M has them."""
    frame = pl.DataFrame(
        {
            "SAMPLE_ID": range(100, 100 + len(ROWS)),
            "URL": [server.url(path) if path else None for path, _, _ in ROWS],
            "TEXT": [text for _, text, _ in ROWS],
            "WIDTH": [900 if path.startswith("wide") else 80 for path, _, _ in ROWS],
            "HEIGHT": [600 if path.startswith("wide") else 60 for path, _, _ in ROWS],
            "LICENSE": ["?"] * len(ROWS),
            "punsafe": [unsafe for _, _, unsafe in ROWS],
        }
    )
    frame.write_parquet(path)
    return path


@dataclass(frozen=True)
class Audited:
    """A list, and its run."""

    list: Path
    run: Run
    asked: list[str]
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[ImageServer]:
    with image_server() as server:
        yield server


@pytest.fixture(scope="module")
def audited(server: ImageServer, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The list, audited in shards of six rows."""
    folder = tmp_path_factory.mktemp("list")
    path = write_list(server, folder / "part-0.parquet")
    server.asked.clear()
    said = command("audit", path, "--out", folder / "run", *FAST, *CHOSEN, "--json")
    return Audited(path, Run.open(folder / "run"), list(server.asked), json.loads(said))


def test_every_row_is_an_image_or_has_its_reason(audited):
    found = {key: (stage, reason, message) for _, key, stage, reason, message in audited.run.read(ERRORS).iter_rows()}
    assert {key: found[key][:2] for key in found} == {key: LOST[key][:2] for key in LOST}
    assert all(LOST[key][2] in found[key][2] for key in LOST)
    samples = audited.run.read(SAMPLES)
    assert samples.select("shard", "key", "caption").rows() == [
        ("part-0:0", "100", "a first picture"),
        ("part-0:1", "108", "a second picture"),
        ("part-0:1", "109", None),
        ("part-0:1", "113", "a first picture"),
    ]
    assert audited.summary["rows"] | {"without_caption": 0} == {
        "rows_in": 14, "read": 4, "set_aside": 2, "failed": 8, "remarks": 0, "without_caption": 0,
    }  # fmt: skip
    assert all(check["passed"] for check in audited.summary["checks"])
    shards = audited.run.read(SHARDS).select("shard", "rows_in", "read", "set_aside", "failed").rows()
    assert shards == [("part-0:0", 6, 1, 0, 5), ("part-0:1", 8, 3, 2, 3)]


def test_no_row_that_is_set_aside_is_asked_for(audited):
    wanted = [path for path, _, unsafe in ROWS if path and unsafe is not None and unsafe < 0.5]
    assert sorted(audited.asked) == sorted(wanted)


def test_images_keep_their_bytes_unless_they_are_larger_than_asked_for(audited):
    samples, images = audited.run.read(SAMPLES), images_of(audited.run)
    found = {row["key"]: images(row["file"], row["offset"], row["length"]) for row in samples.iter_rows(named=True)}
    assert found["100"] == found["113"] == picture("good/1.jpg")
    assert decode(found["108"]).shape == (60, 80, 3)
    assert found["108"] != picture("good/2.png")
    assert decode(found["109"]).shape == (512, 768, 3)


def test_columns_of_the_list_and_of_the_download_are_carried_through(audited):
    carried = audited.run.read(SAMPLES).select("sample_id", "key").join(read_carried(audited.run.path), on="sample_id")
    assert carried.sort("sample_id").select("key", "LICENSE", "original_width").rows() == [
        ("100", "?", 80),
        ("108", "?", 80),
        ("109", "?", 900),
        ("113", "?", 80),
    ]


def test_copies_under_other_keys_are_found(audited):
    assert audited.summary["duplicates"]["rows"] == 2
    assert Path(audited.summary["report"]).is_file()


def test_what_was_downloaded_is_a_data_set_of_img2datasets(audited):
    dataset = open_dataset(audited.run.path / "download")
    items = [item for shard in dataset.shards for item in dataset.read(shard)]
    assert (dataset.layout, len(items)) == ("webdataset", 11)
    assert {item.extra["row_key"] for item in items if hasattr(item, "extra")} == {"100", "108", "109", "113"}


def test_a_finished_run_asks_for_nothing_again(audited, server):
    before = len(server.asked)
    command("audit", audited.list, "--out", audited.run.path, *FAST[:-1], "9", *CHOSEN)
    assert len(server.asked) == before


def test_a_setting_or_a_list_that_changed_is_refused_and_named(audited, server):
    before = len(server.asked)
    run = audited.run.path
    arguments = ("audit", audited.list, "--out", run, *FAST)
    assert "download.image_size" in refused(*arguments, *CHOSEN, "--image-size", "256")
    assert "(where differ)" in refused(*arguments, "--where", "punsafe < 0.4", *CHOSEN[2:])
    whole, stat = audited.list.read_bytes(), audited.list.stat()
    try:
        pl.read_parquet(audited.list).head(13).write_parquet(audited.list)
        assert "part-0.parquet has changed" in refused(*arguments, *CHOSEN)
    finally:
        audited.list.write_bytes(whole)
        os.utime(audited.list, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert len(server.asked) == before


def test_a_dry_run_writes_nothing_and_asks_for_nothing(server, tmp_path):
    before = len(server.asked)
    path = write_list(server, tmp_path / "list.parquet")
    arguments = ("audit", path, "--out", tmp_path / "run", "--where", "punsafe < 0.5", "--dry-run")
    found = json.loads(command(*arguments, "--json"))
    plan = found.pop("download")
    assert found == {"dataset": str(path), "layout": "urls", "shards": 1, "files": 1, "bytes": path.stat().st_size}
    counts = {name: plan[name] for name in ("rows", "wanted", "set_aside", "unusable")}
    assert counts == {"rows": 14, "wanted": 11, "set_aside": 2, "unusable": 1}
    assert plan["download_bytes"] == round(0.25 * (10 * 80 * 60 + 900 * 600))
    assert plan["store_bytes"] == round(0.25 * 10 * 80 * 60 + 29.9e9 / 1e6 / 256**2 * 768 * 512)
    assert plan["basis"] == "HEIGHT × WIDTH of 11 rows at 2 bits a pixel"
    assert "14 = 11 to download + 2 set aside + 1 unusable" in command(*arguments)
    assert "names the column x" in refused(*arguments[:-2], "x = 1", "--dry-run")
    assert not (tmp_path / "run").exists()
    assert len(server.asked) == before


def test_a_dry_run_without_sizes_reckons_with_an_average_image(tmp_path):
    (tmp_path / "cc12m.tsv").write_text("".join(f"http://127.0.0.1:9/{i}.jpg\tno. {i}\n" for i in range(1000)))
    done = process(
        "audit", tmp_path, "--out", tmp_path / "run", "--sample", "0.5", "--limit", "100", "--dry-run", "--json"
    )
    plan = json.loads(done.stdout)["download"]
    assert (plan["wanted"], plan["download_bytes"], plan["store_bytes"]) == (100, 13_000_000, 13_000_000)
    assert plan["basis"] == "130 kB for each of 100 images (img2dataset's average)"
    assert 150 < plan["rows"] < 260


def test_a_dry_run_of_images_says_what_is_there(audited, tmp_path):
    said = command("audit", audited.run.path / "download", "--out", tmp_path / "run", "--dry-run", "--json")
    found = json.loads(said)
    files = [file for file in (audited.run.path / "download").iterdir() if file.name[:5].isdigit()]
    size = sum(file.stat().st_size for file in files if file.suffix in (".tar", ".parquet"))
    assert (found["layout"], found["shards"], found["files"], found["bytes"]) == ("webdataset", 2, 4, size)
    assert found["download"] is None


def test_an_img2dataset_that_stops_ends_the_audit_in_one_sentence(server, tmp_path, monkeypatch):
    path = write_list(server, tmp_path / "list.parquet")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "img2dataset.py").write_text("raise SystemExit('no room left')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        assert exit_code_of(app, ["audit", str(path), "--out", str(tmp_path / "run"), *FAST]) == 1
    assert "img2dataset stopped with exit code 1 (no room left); see" in errors.getvalue()
    assert "give the same command again" in errors.getvalue()


def test_download_settings_that_make_no_sense_are_refused(tmp_path):
    assert "--threads" in refused("audit", tmp_path, "--out", tmp_path / "run", "--threads", "0")
    assert "--retries" in refused("audit", tmp_path, "--out", tmp_path / "run", "--retries", "-1")


@pytest.mark.slow
def test_a_download_killed_at_any_moment_goes_on_and_ends_with_the_same_rows(server, tmp_path):
    rows = [(server.url(f"{'good' if i % 4 else 'missing'}/{i}.jpg"), f"picture {i}") for i in range(60)]
    path = tmp_path / "cc12m.tsv"
    path.write_text("".join(f"{url}\t{text}\n" for url, text in rows))
    options = ("--model", "demo", "--retries", "0", "--processes", "1", "--threads", "2", "--shard-rows", "8")

    def tables(run: Path) -> list[Any]:
        """All but where the tars happen to hold an image: img2dataset stores them as they come in."""
        return [Run.open(run).read(SAMPLES).drop("offset").rows(), Run.open(run).read(ERRORS).rows()]

    whole = process("audit", path, "--out", tmp_path / "whole", *options)
    assert whole.returncode == 0, whole.stderr
    expected = tables(tmp_path / "whole")
    assert (len(expected[0]), len(expected[1])) == (45, 15)

    server.slowly.set()
    server.asked.clear()
    run, resumed = tmp_path / "run", 0
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "audit", path, "--out", run, *options]
    try:
        for asked in (0, 3, 12, 30):
            child = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            resumed = len(server.asked)
            while child.poll() is None and len(server.asked) - resumed < asked + 1:
                time.sleep(0.05)
            assert child.poll() is None, child.communicate()
            child.send_signal(signal.SIGKILL)
            child.communicate()
            time.sleep(1)
            quiet = len(server.asked)
            time.sleep(1)
            assert len(server.asked) == quiet, "img2dataset outlived the scanner"
    finally:
        server.slowly.clear()
    done = [file.name for file in (run / "download").glob("*_stats.json")]
    server.asked.clear()
    finished = process("audit", path, "--out", run, *options)
    assert finished.returncode == 0, finished.stderr
    assert tables(run) == expected
    assert len(done) >= 3
    assert len(server.asked) <= 60 - 8 * len(done) + 4


@pytest.mark.slow
def test_a_shard_whose_stats_were_being_written_is_downloaded_again(server, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("url,caption\n" + "".join(f"{server.url(f'good/{i}.jpg')},no. {i}\n" for i in range(6)))
    options = ("audit", path, "--out", tmp_path / "run", *FAST, "--shard-rows", "3")
    command(*options)
    first = Run.open(tmp_path / "run").read(SAMPLES)
    (tmp_path / "run" / "download" / "00001_stats.json").write_text('{"count": 3, "succ')
    (tmp_path / "run" / "download" / "00001.tar").unlink()
    (tmp_path / "run" / "samples" / "00001.parquet").unlink()
    server.asked.clear()
    command(*options)
    assert sorted(server.asked) == ["good/3.jpg", "good/4.jpg", "good/5.jpg"]
    assert Run.open(tmp_path / "run").read(SAMPLES).drop("offset").equals(first.drop("offset"))


@pytest.mark.slow
def test_what_failed_once_is_tried_again_and_files_are_kept_as_served(server, tmp_path):
    paths = ["once/5.jpg", "good/6.png", "wide/7.jpg", "page/1.jpg", "missing/1.jpg"]
    records = [{"url": server.url(path), "caption": path, "width": 1, "sha256": "x"} for path in paths]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    server.asked.clear()
    options = ("--retries", "1", "--image-size", "0", "--carry", "width", "--carry", "sha256")
    fast = tuple(option for option in FAST if option not in ("--retries", "0"))
    command("audit", tmp_path / "a.jsonl", "--out", tmp_path / "run", *fast, *options)
    run = Run.open(tmp_path / "run")
    samples, images = run.read(SAMPLES), images_of(run)
    found = {row["key"]: images(row["file"], row["offset"], row["length"]) for row in samples.iter_rows(named=True)}
    assert found == {"0": picture("once/5.jpg"), "1": picture("good/6.png"), "2": picture("wide/7.jpg")}
    assert run.read(ERRORS).select("key", "stage", "reason").rows() == [
        ("3", "decode", "not_an_image"),
        ("4", "download", "failed_to_download"),
    ]
    assert [server.asked.count(path) for path in paths] == [2, 1, 1, 1, 2]
    assert read_carried(run.path).select("width", "sha256").rows() == [(1, "x")] * 3


@pytest.mark.slow
def test_rows_that_img2dataset_says_nothing_of_stand_in_the_ledger(server, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("url,caption\n" + "".join(f"{server.url(f'good/{i}.jpg')},no. {i}\n" for i in range(4)))
    options = ("audit", path, "--out", tmp_path / "run", *FAST, "--shard-rows", "2")
    command(*options)
    download = tmp_path / "run" / "download"
    for name in ("00001.parquet", "00001.tar", "00001_stats.json", "../samples/00001.parquet"):
        (download / name).unlink()
    (download / "00001.tar").mkdir()  # where img2dataset can't write
    command(*options)
    assert "shard 1 failed with error" in (download / "img2dataset.log").read_text()
    found = Run.open(tmp_path / "run").read(ERRORS).select("shard", "key", "stage", "reason").rows()
    assert found == [("a:1", key, "download", "no_outcome") for key in ("2", "3")]


def test_a_list_of_which_nothing_is_left_is_said_to_be_so(server, tmp_path):
    path = write_list(server, tmp_path / "list.parquet")
    before = len(server.asked)
    said = command("audit", path, "--out", tmp_path / "run", *FAST, "--where", "punsafe > 5")
    assert "14 = 0 read + 0 failed + 14 set aside" in said
    assert Run.open(tmp_path / "run").read(ERRORS)["reason"].to_list() == ["where"] * 14
    assert len(server.asked) == before
