"""Folders of images with captions beside them, and the choice of a layout."""

import os

import pytest

from scanner.errors import UnusableInputError
from scanner.samples import Failure, Options, Sample, StoredImages, open_dataset
from tests.samples.pictures import encode, photo_like
from tests.samples.test_webdataset import PNG, read_all, reasons, write_tar


def test_a_folder_is_one_shard_and_read_in_the_order_of_names(tmp_path):
    for name in ("b.PNG", "a.jpg", "c.tiff", ".hidden.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "a.txt").write_text("a cat\n")
    (tmp_path / "b.json").write_text('{"caption": "a dog", "url": "https://x.org/b"}')
    (tmp_path / "notes.md").write_text("not a row")
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.root, [shard.name for shard in dataset.shards]) == ("folder", tmp_path, ["."])
    samples, failures = read_all(tmp_path)
    assert [(sample.key, sample.caption, sample.url) for sample in samples] == [
        ("a", "a cat", None),
        ("b", "a dog", "https://x.org/b"),
        ("c", None, None),
    ]
    assert failures == []


def test_subfolders_are_shards(tmp_path):
    for folder in ("z", "a/deep", ".cache", "empty"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("z/1.png", "a/deep/1.png", ".cache/1.png"):
        (tmp_path / name).write_bytes(PNG)
    dataset = open_dataset(tmp_path)
    assert [(shard.name, shard.index) for shard in dataset.shards] == [("a/deep", 0), ("z", 1)]
    assert [sample.shard for sample in read_all(tmp_path)[0]] == ["a/deep", "z"]


def test_faults_in_a_folder(tmp_path):
    other = encode(photo_like(4))
    (tmp_path / "same.jpg").write_bytes(PNG)
    (tmp_path / "same.png").write_bytes(other)
    (tmp_path / "same.txt").write_text("shared")
    (tmp_path / "orphan.txt").write_text("no image")
    (tmp_path / "latin.png").write_bytes(PNG)
    (tmp_path / "latin.txt").write_bytes(b"K\xe4fer")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / os.fsdecode(b"n\xe4me.png")).write_bytes(PNG)
    samples, failures = read_all(tmp_path)
    assert [(sample.key, sample.caption, sample.encoded) for sample in samples] == [
        ("same", "shared", PNG),
        ("same.png", "shared", other),
    ]
    assert reasons(failures) == {
        "orphan": "missing_image",
        "latin": "caption_not_utf8",
        "gone": "unreadable_file",
        "n\\xe4me": "name_not_utf8",
    }
    assert len(samples) + len(failures) == 6


def test_a_folders_fingerprint_follows_its_files(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    first = open_dataset(tmp_path).shards[0].fingerprint
    assert open_dataset(tmp_path).shards[0].fingerprint == first
    (tmp_path / "b.txt").write_text("x")
    assert open_dataset(tmp_path).shards[0].fingerprint != first


def test_one_tar_is_a_data_set_and_tars_win_over_images(tmp_path):
    tar = write_tar(tmp_path / "00003.tar", [("a.png", PNG)])
    (tmp_path / "preview.png").write_bytes(PNG)
    for path in (tar, tmp_path):
        dataset = open_dataset(path)
        assert (dataset.layout, dataset.root) == ("webdataset", tmp_path)
        assert [shard.name for shard in dataset.shards] == ["00003"]


@pytest.mark.parametrize("content", [{}, {"readme.txt": b"hello"}, {"00000.parquet": b"PAR1"}, {"sub/list.csv": b""}])
def test_a_path_without_a_data_set_is_refused(tmp_path, content):
    for name, text in content.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text)
    with pytest.raises(UnusableInputError, match=r"holds no data set; looked for webdataset shards \(\*\.tar\)"):
        open_dataset(tmp_path)


def test_a_missing_path_a_file_and_a_limit_of_nothing_are_refused(tmp_path):
    with pytest.raises(UnusableInputError, match="does not exist"):
        open_dataset(tmp_path / "nowhere")
    (tmp_path / "photo.png").write_bytes(PNG)
    with pytest.raises(UnusableInputError, match="holds no data set"):
        open_dataset(tmp_path / "photo.png")
    with pytest.raises(UnusableInputError, match="at least 1"):
        open_dataset(tmp_path, Options(limit=0))


@pytest.mark.parametrize("limit", [1, 3, 4, 7, 100])
def test_a_limit_takes_the_first_rows_failures_included(tmp_path, limit):
    for shard in "01":
        write_tar(tmp_path / f"{shard}.tar", [("a.png", PNG), ("b.txt", b"x"), ("c.png", PNG), ("d.png", PNG)])

    def keys(limit: int | None) -> list[tuple[str, str, type]]:
        dataset = open_dataset(tmp_path, Options(limit=limit))
        return [(item.shard, item.key, type(item)) for shard in dataset.shards for item in dataset.read(shard)]

    assert keys(limit) == keys(None)[:limit]
    assert ("0", "b", Failure) in keys(None)
    assert ("1", "d", Sample) in keys(None)
    assert len(open_dataset(tmp_path, Options(limit=limit)).shards) == (1 if limit <= 4 else 2)


def test_an_image_of_a_folder_is_read_again(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    (sample,), _ = read_all(tmp_path)
    assert StoredImages(str(tmp_path))(sample.file, sample.offset, len(PNG)) == PNG


def test_linked_folders_are_followed_and_a_link_that_leads_back_is_not(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(PNG)
    (tmp_path / "other" / "b.png").write_bytes(PNG)
    (tmp_path / "set" / "linked").symlink_to(tmp_path / "other")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set")
    (tmp_path / "other" / "up").symlink_to(tmp_path)
    samples, failures = read_all(tmp_path / "set")
    assert [(sample.shard, sample.key) for sample in samples] == [(".", "a"), ("linked", "b")]
    assert failures == []
