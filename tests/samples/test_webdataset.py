"""Tars are read row by row, whatever is wrong with them: rows in = samples + failures, with the planted reasons."""

import io
import json
import os
import struct
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.samples import Failure, Sample, StoredImages, decode, open_dataset
from tests.samples.pictures import encode, photo_like

PNG = encode(photo_like(0, 20, 30))


def add(tar: tarfile.TarFile, name: str, content: bytes = b"", **attributes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    tar.addfile(info, io.BytesIO(content))


def write_tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            add(tar, name, content)
    return path


def read_all(path: Path) -> tuple[list[Sample], list[Failure]]:
    dataset = open_dataset(path)
    items = [item for shard in dataset.shards for item in dataset.read(shard)]
    samples = [item for item in items if isinstance(item, Sample)]
    images = StoredImages(str(dataset.root))
    for sample in samples:
        assert images(sample.file, sample.offset, len(sample.encoded)) == sample.encoded
    return samples, [item for item in items if isinstance(item, Failure)]


def reasons(failures: list[Failure]) -> dict[str, str]:
    assert len({failure.key for failure in failures}) == len(failures)
    return {failure.key: failure.reason for failure in failures}


def write_parquet(path: Path, records: list[dict[str, str | None]]) -> None:
    pl.DataFrame(records).write_parquet(path)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_img2datasets_own_writer_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")  # or importing img2dataset looks for updates on the network
    import pyarrow as pa  # noqa: PLC0415
    from img2dataset.writer import WebDatasetSampleWriter  # noqa: PLC0415

    names = ("key", "url", "caption", "status", "error_message")
    writer = WebDatasetSampleWriter(
        0, str(tmp_path), True, 5, pa.schema([(name, pa.string()) for name in names]), "jpg"
    )
    jpeg = encode(photo_like(3), "JPEG")
    rows = [
        ("000000002", "a red cat", "success", None),
        ("000000000", None, "failed_to_download", "HTTP Error 404: Not Found"),
        ("000000001", "ein Käfer", "success", None),
        ("000000003", "too small", "failed_to_resize", None),
    ]
    for key, caption, status, error in rows:
        meta = {"key": key, "url": f"https://x.org/{key}", "caption": caption, "status": status, "error_message": error}
        writer.write(jpeg if status == "success" else None, key, caption, meta)
    writer.close()

    samples, failures = read_all(tmp_path)
    assert [(sample.shard, sample.key, sample.caption, sample.url) for sample in samples] == [
        ("00000", "000000002", "a red cat", "https://x.org/000000002"),
        ("00000", "000000001", "ein Käfer", "https://x.org/000000001"),
    ]
    assert all(sample.encoded == jpeg for sample in samples)
    assert [(failure.key, failure.stage, failure.reason, failure.message) for failure in failures] == [
        ("000000000", "download", "failed_to_download", "HTTP Error 404: Not Found"),
        ("000000003", "download", "failed_to_resize", "img2dataset gives no error message."),
    ]


def test_plain_tars_of_any_image_ending_in_stored_order(tmp_path):
    endings = ["jpg", "JPEG", "png", "webp", "gif", "bmp", "tif", "tiff"]
    members = [(f"./{name}.{ending}", PNG) for name, ending in zip("hgfedcba", endings, strict=True)]
    write_tar(
        tmp_path / "b.tar", [*members, ("sub/a.png", PNG), ("._a.jpg", b"resource fork"), ("a.txt", b" a cat\r\n")]
    )
    write_tar(tmp_path / "a.tar", [])
    dataset = open_dataset(tmp_path)
    assert [(shard.name, shard.index) for shard in dataset.shards] == [("a", 0), ("b", 1)]
    samples, failures = read_all(tmp_path)
    assert [sample.key for sample in samples] == [*"hgfedcba", "sub/a"]
    assert [sample.caption for sample in samples] == [None] * 7 + [" a cat", None]
    assert failures == []
    assert np.array_equal(decode(samples[0].encoded), decode(PNG))  # a PNG named .jpg


def test_captions_and_urls_from_json(tmp_path):
    def row(key: str, fields: object) -> list[tuple[str, bytes]]:
        return [(f"{key}.json", json.dumps(fields).encode()), (f"{key}.png", PNG)]

    members = [
        *row("both", {"caption": "from json", "url": "u"}),
        ("both.txt", "\ufeffvon txt ❤".encode()),
        *row("json", {"caption": "<b>bold</b> & more"}),
        *row("empty", {"caption": None, "url": None}),
        ("blank.png", PNG),
        ("blank.txt", b" \n"),
    ]
    write_tar(tmp_path / "0.tar", members)
    samples, failures = read_all(tmp_path)
    assert {sample.key: (sample.caption, sample.url) for sample in samples} == {
        "both": ("von txt ❤", "u"),
        "json": ("<b>bold</b> & more", None),
        "empty": (None, None),
        "blank": (None, None),
    }
    assert failures == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", "Käfer".encode("latin-1"), "caption_not_utf8"),
        ("a.json", b'{"caption": "K\xe4fer"}', "caption_not_utf8"),
        ("a.json", b'{"caption": "\\ud800"}', "caption_not_utf8"),
        ("a.json", b'{"caption": ', "broken_json"),
        ("a.json", b"[1, 2]", "broken_json"),
        ("a.json", b'{"caption": ["a", "b"]}', "broken_metadata"),
        ("a.json", b"[" * 100_000, "broken_json"),
    ],
)
def test_unreadable_captions_are_failures(tmp_path, name, content, reason):
    write_tar(tmp_path / "0.tar", [("a.png", PNG), (name, content), ("b.png", PNG)])
    samples, failures = read_all(tmp_path)
    assert [sample.key for sample in samples] == ["b"]
    assert reasons(failures) == {"a": reason}


def test_missing_double_and_unsafe_members(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        add(tar, "folder", type=tarfile.DIRTYPE)
        add(tar, "twice.png", PNG)
        add(tar, "twice.txt", b"first")
        add(tar, "orphan.txt", b"a caption")
        add(tar, "heic.heic", b"....")
        add(tar, "link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "hard.png", type=tarfile.LNKTYPE, linkname="twice.png")
        add(tar, "pipe.png", type=tarfile.FIFOTYPE)
        add(tar, "/root/absolute.png", PNG)
        add(tar, "../above.png", PNG)
        add(tar, "twice.png", encode(photo_like(9)))
        add(tar, "twice.txt", b"second")
        add(tar, "views.left.png", PNG)
        add(tar, "views.right.png", PNG)
        add(tar, "langs.en.txt", b"cat")
        add(tar, "langs.de.txt", b"Katze")
        add(tar, "langs.png", PNG)
    samples, failures = read_all(tmp_path)
    assert {sample.key: sample.caption for sample in samples} == {"twice": "first", "views": None, "langs": "cat"}
    assert samples[0].encoded == PNG
    assert reasons(failures) == {
        "twice": "duplicate_key",
        "views": "duplicate_key",
        "orphan": "missing_image",
        "heic": "missing_image",
        "link": "unsafe_member",
        "hard": "unsafe_member",
        "pipe": "unsafe_member",
        "/root/absolute": "unsafe_member",
        "../above": "unsafe_member",
    }


def test_a_cut_tar_keeps_what_is_before_the_cut(tmp_path):
    whole = write_tar(tmp_path / "0.tar", [(f"{key}.png", PNG) for key in "abc"]).read_bytes()
    header_of_c = whole.index(b"c.png")
    for end in (header_of_c, header_of_c + 100, header_of_c + 512, header_of_c + 512 + len(PNG) - 1):
        (tmp_path / "0.tar").write_bytes(whole[:end])
        samples, failures = read_all(tmp_path)
        assert [sample.key for sample in samples] == ["a", "b"]
        assert reasons(failures) == {"": "truncated_shard"}
    (tmp_path / "0.tar").write_bytes(whole[: header_of_c + 512 + len(PNG)])
    assert [sample.key for sample in read_all(tmp_path)[0]] == ["a", "b", "c"]


@pytest.mark.parametrize("content", [b"", b"<html>" * 200, struct.pack("<1000d", *range(1000))])
def test_a_shard_that_is_no_tar_is_one_failure(tmp_path, content):
    (tmp_path / "0.tar").write_bytes(content)
    write_tar(tmp_path / "1.tar", [("a.png", PNG)])
    samples, failures = read_all(tmp_path)
    assert [sample.shard for sample in samples] == ["1"]
    assert reasons(failures) == {"": "truncated_shard"}


def test_garbage_between_members_and_negative_sizes_do_not_pass_for_the_end(tmp_path):
    whole = bytearray(write_tar(tmp_path / "0.tar", [("a.png", PNG), ("b.png", PNG)]).read_bytes())
    header_of_b = whole.index(b"b.png")
    damaged = whole[:header_of_b] + b"\x07" * 512 + whole[header_of_b + 512 :]
    negative = whole.copy()
    negative[header_of_b + 124 : header_of_b + 136] = b"\xff" * 12  # base-256 for −1
    checksum = sum(negative[header_of_b : header_of_b + 148]) + 8 * 32
    checksum += sum(negative[header_of_b + 156 : header_of_b + 512])
    negative[header_of_b + 148 : header_of_b + 156] = b"%06o\0 " % checksum
    for content in (damaged, negative):
        (tmp_path / "0.tar").write_bytes(content)
        samples, failures = read_all(tmp_path)
        assert [sample.key for sample in samples] == ["a"]
        assert reasons(failures) == {"": "truncated_shard"}


def test_the_parquet_counts_what_the_tar_lacks(tmp_path):
    write_tar(tmp_path / "0.tar", [("a.png", PNG), ("c.json", b"{}"), ("e.txt", b"x"), ("f.png", PNG)])
    statuses = {"a": "success", "b": "success", "c": "failed_to_resize", "d": "failed_to_download", "f": None}
    records = [
        {"key": key, "status": status, "error_message": f"about {key}", "url": f"u/{key}"}
        for key, status in statuses.items()
    ]
    write_parquet(tmp_path / "0.parquet", records)
    samples, failures = read_all(tmp_path)
    assert {sample.key: sample.url for sample in samples} == {"a": "u/a", "f": "u/f"}
    assert {(failure.key, failure.stage, failure.reason) for failure in failures} == {
        ("b", "read", "missing_image"),
        ("c", "download", "failed_to_resize"),
        ("d", "download", "failed_to_download"),
        ("e", "read", "missing_image"),
    }


def test_another_or_a_broken_parquet(tmp_path):
    write_tar(tmp_path / "0.tar", [("a.png", PNG)])
    write_parquet(tmp_path / "0.parquet", [{"uid": "a", "text": "cat"}])
    assert reasons(read_all(tmp_path)[1]) == {}
    (tmp_path / "0.parquet").write_bytes(b"PAR1 but not really")
    samples, failures = read_all(tmp_path)
    assert len(samples) == 1
    assert reasons(failures) == {"": "unreadable_parquet"}


def test_names_that_are_not_utf8_are_escaped(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        add(tar, os.fsdecode(b"k\xe4fer.png"), PNG)
    samples, _ = read_all(tmp_path)
    assert [sample.key for sample in samples] == ["k\\xe4fer"]


def test_a_shards_fingerprint_follows_its_content(tmp_path):
    def fingerprint() -> str:
        return open_dataset(tmp_path).shards[0].fingerprint

    write_tar(tmp_path / "0.tar", [("a.png", PNG), ("b.png", PNG)])
    seen = {fingerprint()}
    assert {fingerprint()} == seen
    write_tar(tmp_path / "0.tar", [("a.png", PNG), ("c.png", PNG)])
    seen.add(fingerprint())
    write_parquet(tmp_path / "0.parquet", [{"key": "a", "status": "success"}])
    seen.add(fingerprint())
    assert len(seen) == 3


FAULTS = ("none", "no_image", "double", "bad_caption", "link", "lost", "failed_to_download")


@given(plan=st.lists(st.sampled_from(FAULTS), max_size=25), data=st.data())
@settings(max_examples=60, deadline=None)
def test_rows_in_are_samples_plus_failures(tmp_path_factory, plan, data):
    folder = tmp_path_factory.mktemp("set")
    records, expected, members = [], Counter(), []
    for number, fault in enumerate(plan):
        key = f"{number:09d}"
        records.append(
            {"key": key, "status": fault if fault.startswith("failed") else "success", "error_message": "why"}
        )
        image, caption = (f"{key}.jpg", PNG), (f"{key}.txt", b"\xff" if fault == "bad_caption" else b"a cat")
        if fault == "double":
            members += [image, caption, image, caption]
        elif fault in {"none", "bad_caption"}:
            members += [image, caption]
        elif fault == "no_image":
            members.append(caption)
        elif fault == "link":
            members.append((f"{key}.jpg", None))
        sample = fault in {"none", "double"}
        expected.update({"sample": sample, fault: fault != "none"})
    order = data.draw(st.permutations(range(len(members))))
    with tarfile.open(folder / "00000.tar", "w") as tar:
        for position in order:
            name, content = members[position]
            add(tar, name, content or b"", **({} if content else {"type": tarfile.SYMTYPE, "linkname": "x"}))
    write_parquet(folder / "00000.parquet", data.draw(st.permutations(records)) or [{"key": None, "status": None}])

    samples, failures = read_all(folder)
    found = Counter(failure.reason for failure in failures)
    assert len(samples) == expected["sample"]
    assert found["missing_image"] == expected["no_image"] + expected["lost"]
    assert found["duplicate_key"] == expected["double"]
    assert found["caption_not_utf8"] == expected["bad_caption"]
    assert found["unsafe_member"] == expected["link"]
    assert found["failed_to_download"] == expected["failed_to_download"]
    assert len(samples) + len(failures) == len(plan) + expected["double"]


def test_rows_that_img2dataset_counted_and_nobody_finds_are_remarked(tmp_path):
    write_tar(tmp_path / "00000.tar", [("a.png", PNG), ("b.png", PNG)])
    (tmp_path / "00000_stats.json").write_text('{"count": 2, "successes": 2}')
    assert read_all(tmp_path)[1] == []
    (tmp_path / "00000_stats.json").write_text('{"count": 5, "successes": 2}')
    (remark,) = read_all(tmp_path)[1]
    assert (remark.key, remark.reason) == ("", "row_count")
    assert "given 5 rows" in remark.message
    (tmp_path / "00000_stats.json").write_text("[]")
    assert read_all(tmp_path)[1] == []


def test_an_unsafe_member_is_a_row_only_where_there_is_no_image_to_read(tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        add(tar, "a.png", PNG)
        add(tar, "a.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "b.png", type=tarfile.SYMTYPE, linkname="a.png")
        add(tar, "b.txt", type=tarfile.LNKTYPE, linkname="a.txt")
    samples, failures = read_all(tmp_path)
    assert [sample.key for sample in samples] == ["a"]
    assert [(failure.key, failure.reason) for failure in failures] == [
        ("", "unsafe_member"),
        ("b", "unsafe_member"),
        ("", "unsafe_member"),
    ]


def test_what_webdatasets_own_writer_writes_is_read(tmp_path):
    from webdataset import ShardWriter  # noqa: PLC0415 - slow to import

    with ShardWriter(str(tmp_path / "set-%03d.tar"), maxcount=2, verbose=0) as writer:
        for i, ending in enumerate(("jpg", "png", "webp")):
            picture = encode(photo_like(i, 20, 30), "JPEG" if ending == "jpg" else ending.upper())
            writer.write({"__key__": f"deep/er/{i}", ending: picture, "json": {"caption": f"no {i}", "punsafe": i}})
    samples, failures = read_all(tmp_path)
    assert [(item.shard, item.key, item.caption, item.extra["punsafe"]) for item in samples] == [
        ("set-000", "deep/er/0", "no 0", 0),
        ("set-000", "deep/er/1", "no 1", 1),
        ("set-001", "deep/er/2", "no 2", 2),
    ]
    assert failures == []


def test_tars_are_found_at_any_depth_where_none_lies_at_the_top(tmp_path):
    for name in ("part-1/00000", "part-0/00000", ".hidden/00000"):
        (tmp_path / name).parent.mkdir()
        write_tar(tmp_path / f"{name}.tar", [("a.png", PNG)])
    assert [sample.shard for sample in read_all(tmp_path)[0]] == ["part-0/00000", "part-1/00000"]
    write_tar(tmp_path / "top.tar", [("a.png", PNG)])
    assert [sample.shard for sample in read_all(tmp_path)[0]] == ["top"]


def test_a_tar_below_a_folder_of_images_does_not_make_it_a_webdataset(tmp_path):
    (tmp_path / "photos" / "old").mkdir(parents=True)
    (tmp_path / "photos" / "a.png").write_bytes(PNG)
    write_tar(tmp_path / "photos" / "old" / "backup.tar", [("b.png", PNG)])
    assert [sample.key for sample in read_all(tmp_path)[0]] == ["a"]
