"""Folders of images with a metadata file, read as Hugging Face's imagefolder reads them; every row accounted for."""

import gc
import json
from pathlib import Path

import fsspec
import polars as pl
import pytest
from datasets import load_dataset

from scanner.errors import UnusableInputError
from scanner.samples import Columns, open_dataset
from tests.samples.test_parquet import IMAGES, keys, read_all

KINDS = ["csv", "jsonl", "parquet"]


def write(folder: Path, kind: str, rows: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"metadata.{kind}"
    if kind == "csv":
        pl.DataFrame(rows).write_csv(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pl.DataFrame(rows).write_parquet(path)


def put(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(IMAGES[number])


@pytest.mark.parametrize("kind", KINDS)
def test_captions_and_columns_come_from_the_table(tmp_path, kind):
    put(tmp_path, "a.png", "b.png", "c.png")
    rows = [
        {"file_name": "b.png", "text": 'a "dog", running', "url": "http://x/b", "score": 0.5, "n": 3},
        {"file_name": "a.png", "text": "a cat\nasleep", "url": None, "score": 0.25, "n": 4},
    ]
    write(tmp_path, kind, rows)
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, [shard.name for shard in dataset.shards]) == ("folder", ["."])
    assert set(dataset.shards[0].files) == {"a.png", "b.png", "c.png", f"metadata.{kind}"}
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.key, s.caption, s.url, s.encoded, dict(s.extra)) for s in samples] == [
        ("a", "a cat\nasleep", None, IMAGES[0], rows[1]),
        ("b", 'a "dog", running', "http://x/b", IMAGES[1], rows[0]),
        ("c", None, None, IMAGES[2], {}),
    ]
    assert [s.key for s in read_all(tmp_path, where="score < 0.3 AND n = 4")[0]] == ["a"]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_as_hugging_faces_own_loader(tmp_path, kind):
    put(tmp_path / "set", "cats/1.png", "cats/deep/2.png", "3.png")
    names = ["cats/1.png", "cats/deep/2.png", "3.png"]
    write(tmp_path / "set", kind, [{"file_name": name, "text": f"picture {name}"} for name in names])
    theirs = load_dataset(
        "imagefolder", data_dir=str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache")
    )
    gc.collect()  # datasets leaves the .csv open; the warning belongs to this test
    samples, failures = read_all(tmp_path / "set")
    assert failures == []
    assert sorted((s.caption, s.file) for s in samples) == sorted((row["text"], row["text"][8:]) for row in theirs)
    assert [s.shard for s in samples] == [".", "cats", "cats/deep"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_the_table_is_accounted_for(tmp_path, kind):
    root = tmp_path / "set"
    put(tmp_path, "set/a.png", "set/sub/b.png", "set/sub/unlisted.png", "secret.png")
    (root / "sub" / "unlisted.txt").write_text("of its own")
    names = {
        "a.png": None,
        "sub/b.png": None,
        "sub/gone.png": ("sub", "gone", "missing_image"),
        "nowhere/x.png": ("nowhere", "x", "missing_image"),
        "../secret.png": (".", "../secret.png", "unsafe_member"),
        str(tmp_path / "secret.png"): (".", str(tmp_path / "secret.png"), "unsafe_member"),
        "file:///secret.png": (".", "file:///secret.png", "unsafe_member"),
        "./a.png": (".", "./a.png", "duplicate_key"),
        None: (".", f"metadata.{kind}:8", "missing_image"),
    }
    write(root, kind, [{"file_name": name, "text": f"row {row}"} for row, name in enumerate(names)])
    samples, failures = read_all(root)
    assert [(s.shard, s.key, s.caption) for s in samples] == [
        (".", "a", "row 0"),
        ("sub", "b", "row 1"),
        ("sub", "unlisted", "of its own"),
    ]
    expected = [failure for failure in names.values() if failure]
    assert sorted((f.shard, f.key, f.reason) for f in failures) == sorted(expected)
    assert len(samples) + len(failures) == len(names) + 1


def test_the_nearest_table_counts_and_a_text_beside_the_image_before_any(tmp_path):
    put(tmp_path, "top.png", "sub/a.png", "sub/b.png", "sub/c.png")
    write(tmp_path, "csv", [{"file_name": f"sub/{name}.png", "text": f"far {name}"} for name in "abc"])
    write(tmp_path / "sub", "jsonl", [{"file_name": "a.png", "text": "near a", "n": 1}])
    (tmp_path / "sub" / "c.txt").write_text("beside c")
    samples, failures = read_all(tmp_path)
    assert [(s.key, s.caption) for s in samples] == [
        ("top", None),
        ("a", "near a"),
        ("b", "far b"),
        ("c", "beside c"),
    ]
    assert [(f.shard, f.key, f.reason) for f in failures] == [(".", "sub/a.png", "duplicate_key")]
    shards = {shard.name: shard for shard in open_dataset(tmp_path).shards}
    assert {"metadata.csv", "sub/metadata.jsonl"} < set(shards["sub"].files)
    assert "sub/metadata.jsonl" not in shards["."].files


def test_several_images_of_a_row_share_its_columns(tmp_path):
    put(tmp_path, "a.png", "b.png", "c.png", "d.avif")
    rows = [
        {"before_file_name": "a.png", "after_file_name": "b.png", "text": "one"},
        {"file_names": ["c.png", "d.avif"], "text": ["two", "zwei"]},
    ]
    write(tmp_path, "jsonl", rows)
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.key, s.caption) for s in samples] == [("a", "one"), ("b", "one"), ("c", "two"), ("d", "two")]


def test_what_the_table_names_is_read_though_it_is_hidden(tmp_path):
    put(tmp_path, "a.png", ".store/b.png", ".store/c.png", ".d.png")
    write(tmp_path, "csv", [{"file_name": name, "text": name} for name in (".store/b.png", ".d.png")])
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert {s.file: s.caption for s in samples} == {"a.png": None, ".store/b.png": ".store/b.png", ".d.png": ".d.png"}


def test_a_column_that_the_user_names_names_the_images(tmp_path):
    put(tmp_path, "1.png", "2.png")
    (tmp_path / "metadata.csv").write_text("file_name,shot,label\nx.png,1.png,5\ny.png,2.png,06\n")
    columns = Columns(image="shot", caption="label")
    samples, failures = read_all(tmp_path, columns=columns)
    assert ([(s.key, s.caption) for s in samples], failures) == ([("1", "5"), ("2", "06")], [])


def test_broken_lines_are_failures_of_their_own(tmp_path):
    put(tmp_path, "a.png", "b.png")
    lines = [b"\xef\xbb\xbf" + b'{"file_name": "a.png", "text": "a"}', b"{oops", b"[1]", b"", b'{"text": "no name"}']
    (tmp_path / "metadata.jsonl").write_bytes(b"\r\n".join([*lines, b'{"file_name": "b.png", "text": "b"}']))
    samples, failures = read_all(tmp_path)
    assert [(s.key, s.caption) for s in samples] == [("a", "a"), ("b", "b")]
    assert keys(failures) == {
        "metadata.jsonl:1": "broken_json",
        "metadata.jsonl:2": "broken_json",
        "metadata.jsonl:3": "missing_image",
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.csv", b"file_name,text\na.png,x,y,z\n"),
        ("metadata.csv", b"file_name,text\na.png,K\xe4fer\n"),
        ("metadata.csv", b""),
        ("metadata.parquet", b"PAR1"),
    ],
)
def test_a_table_that_cannot_be_read_is_a_remark_and_the_images_are_scanned(tmp_path, name, content):
    put(tmp_path, "a.png", "sub/b.png")
    (tmp_path / name).write_bytes(content)
    samples, failures = read_all(tmp_path)
    assert [(s.key, s.caption) for s in samples] == [("a", None), ("b", None)]
    assert [(f.shard, f.key, f.reason) for f in failures] == [(".", "", "unreadable_metadata")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_without_file_names_is_refused_with_what_it_has(tmp_path, kind):
    put(tmp_path, "a.png")
    write(tmp_path, kind, [{"id": "a.png", "text": "a"}])
    with pytest.raises(UnusableInputError, match=r"metadata\.\w+ has no image column .*found id text"):
        open_dataset(tmp_path)
    assert read_all(tmp_path, columns=Columns(image="id"))[0][0].caption == "a"


def test_a_folder_in_parts_tells_of_its_table_once(tmp_path, monkeypatch):
    monkeypatch.setattr("scanner.samples._folder.SHARD_ROWS", 2)
    put(tmp_path, "a.png", "c.png", "d.png")
    names = ["a.png", "b.png", "c.png", "d.png", "../e.png"]
    write(tmp_path, "csv", [{"file_name": name, "text": name} for name in names])
    dataset = open_dataset(tmp_path)
    assert {
        shard.name: [(i.key, getattr(i, "reason", None)) for i in dataset.read(shard)] for shard in dataset.shards
    } == {
        ".:0": [("../e.png", "unsafe_member"), ("a", None), ("b", "missing_image")],
        ".:1": [("c", None), ("d", None)],
    }


def test_a_change_of_the_table_or_of_what_it_names_changes_the_fingerprint(tmp_path):
    put(tmp_path, "a.png")
    write(tmp_path, "csv", [{"file_name": "a.png", "text": "a"}, {"file_name": "b.png", "text": "b"}])
    prints = [open_dataset(tmp_path).shards[0].fingerprint]
    put(tmp_path, "b.png")
    prints.append(open_dataset(tmp_path).shards[0].fingerprint)
    write(tmp_path, "csv", [{"file_name": "a.png", "text": "another"}, {"file_name": "b.png", "text": "b"}])
    prints.append(open_dataset(tmp_path).shards[0].fingerprint)
    assert len(set(prints)) == 3
    assert [s.caption for s in read_all(tmp_path)[0]] == ["another", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_remote_folder_gives_the_same_rows(tmp_path, kind):
    put(tmp_path, "set/a.png", "set/sub/b.png")
    rows = [{"file_name": name, "text": f"of {name}"} for name in ("a.png", "sub/b.png", "sub/c.png")]
    write(tmp_path / "set", kind, rows)
    store = fsspec.filesystem("memory")
    store.put(str(tmp_path / "set"), "/pictures", recursive=True)
    try:
        samples, failures = read_all("memory://pictures")
    finally:
        store.rm("/pictures", recursive=True)
    assert (samples, failures) == read_all(tmp_path / "set")
    assert [(s.caption, s.encoded) for s in samples] == [("of a.png", IMAGES[0]), ("of sub/b.png", IMAGES[1])]
    assert keys(failures) == {"c": "missing_image"}
