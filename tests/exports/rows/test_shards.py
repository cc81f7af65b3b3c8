"""A tar without some of its rows: members byte for byte, in order, whatever else lies in it."""

import io
import json
import tarfile

import polars as pl
import pytest

from scanner.errors import ScannerError
from scanner.exports.rows import Cut, rewrite_shard
from scanner.samples import tar_layout


def tar_of(path, members, *, format=tarfile.PAX_FORMAT, end=True):
    """Members as (name, content); None as content makes a folder."""
    with tarfile.open(path, "w", format=format) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size, info.mtime, info.mode = len(content), 1_700_000_000, 0o640
                tar.addfile(info, io.BytesIO(content))
    if not end:
        path.write_bytes(path.read_bytes()[: -tarfile.RECORDSIZE // 2 * 3])
    return path


def members(path):
    with tarfile.open(path) as tar:
        return [(m.name, m.mtime, m.mode, tar.extractfile(m).read() if m.isfile() else None) for m in tar]


def images(path, *keys):
    """Where the images of these keys begin."""
    with tarfile.open(path) as tar:
        return frozenset(m.offset_data for m in tar if m.name.split(".")[0] in keys and m.name.endswith(".jpg"))


LONG = "folder/" + "x" * 150
ROWS = [
    ("folder/", None),
    ("a.jpg", b"\xff\xd8a" * 700),
    ("a.txt", "füchse".encode()),
    ("b.jpg", b"b" * 512),
    (".hidden", b"stays"),
    ("b.json", b"{}"),
    (f"{LONG}.jpg", b"long"),
    (f"{LONG}.txt", b"name"),
    ("ä.jpg", b"pax"),
    ("c.txt", b"no image"),
]


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_the_other_members_stay_as_they_are_and_in_their_order(tmp_path, format):
    tar = tar_of(tmp_path / "0.tar", ROWS, format=format)
    counts = rewrite_shard(
        tar, tar.stat().st_size, Cut(images=images(tar, "b"), keys=frozenset()), tmp_path / "new" / "0"
    )
    assert members(tmp_path / "new/0.tar") == [m for m in members(tar) if not m[0].startswith("b.")]
    assert (counts.rows, counts.dropped) == (4, 1)


def test_without_a_dropped_row_the_file_is_the_same(tmp_path):
    tar = tar_of(tmp_path / "0.tar", ROWS)
    rewrite_shard(tar, tar.stat().st_size, Cut(images=frozenset(), keys=frozenset()), tmp_path / "new" / "0")
    assert (tmp_path / "new/0.tar").read_bytes() == tar.read_bytes()


def test_headers_that_hold_for_all_members_stay_when_the_first_of_them_goes(tmp_path):
    tar = tmp_path / "0.tar"
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "of all"}) as file:
        for name in ("a.jpg", "b.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 1
            file.addfile(info, io.BytesIO(b"x"))
    rewrite_shard(tar, tar.stat().st_size, Cut(images=images(tar, "a"), keys=frozenset()), tmp_path / "new" / "0")
    with tarfile.open(tmp_path / "new/0.tar") as file:
        assert [m.name for m in file] == ["b.jpg"]
        assert file.pax_headers == {"comment": "of all"}


def test_all_rows_of_a_shard_may_go(tmp_path):
    tar = tar_of(tmp_path / "0.tar", [("a.jpg", b"1"), ("a.txt", b"2")])
    counts = rewrite_shard(
        tar, tar.stat().st_size, Cut(images=images(tar, "a"), keys=frozenset()), tmp_path / "n" / "0"
    )
    assert (counts.rows, members(tmp_path / "n/0.tar")) == (0, [])


def test_of_a_cut_tar_the_members_before_the_cut_are_there_and_it_ends_as_a_tar_should(tmp_path):
    tar = tar_of(tmp_path / "0.tar", [("a.jpg", b"1" * 600), ("b.jpg", b"2" * 600), ("c.jpg", b"3" * 60_000)])
    gone = images(tar, "a")
    tar.write_bytes(tar.read_bytes()[:30_000])
    rewrite_shard(tar, tar.stat().st_size, Cut(images=gone, keys=frozenset()), tmp_path / "new" / "0")
    assert [m[0] for m in members(tmp_path / "new/0.tar")] == ["b.jpg"]
    assert (tmp_path / "new/0.tar").stat().st_size % tarfile.RECORDSIZE == 0


def test_a_tar_whose_last_padding_is_missing_keeps_its_last_member(tmp_path):
    tar = tar_of(tmp_path / "0.tar", [("a.jpg", b"1" * 600), ("b.jpg", b"2" * 600)])
    gone = images(tar, "a")
    with tar.open("rb") as file:
        data = tar_layout(file, tar.stat().st_size)[-1].data
    tar.write_bytes(tar.read_bytes()[: data + 600])
    rewrite_shard(tar, tar.stat().st_size, Cut(images=gone, keys=frozenset()), tmp_path / "new" / "0")
    assert [(m[0], m[3]) for m in members(tmp_path / "new/0.tar")] == [("b.jpg", b"2" * 600)]


def test_img2dataset_s_own_files_lose_the_rows_too(tmp_path):
    tar = tar_of(tmp_path / "0.tar", [("a.jpg", b"1"), ("b.jpg", b"2"), ("c.jpg", b"3")])
    status = ["failed_to_download", "success", "success", "success"]
    records = pl.DataFrame(
        {"key": list("zabc"), "status": status, "error_message": ["404", None, None, None], "n": [1, 2, 3, 4]}
    )
    records.write_parquet(tmp_path / "0.parquet")
    stats = {"count": 4, "successes": 3, "failed_to_download": 1, "failed_to_resize": 0, "duration": 2.5}
    (tmp_path / "0_stats.json").write_text(json.dumps(stats | {"status_dict": {"success": 3, "404": 1}}))
    for folder, keys, left in (("stay", "", "zac"), ("go", "z", "ac")):
        cut = Cut(images=images(tar, "b"), keys=frozenset(keys))
        rewrite_shard(tar, tar.stat().st_size, cut, tmp_path / folder / "0")
        assert pl.read_parquet(tmp_path / folder / "0.parquet").equals(records.filter(pl.col("key").is_in(list(left))))
        found = json.loads((tmp_path / folder / "0_stats.json").read_text())
        failed = len(left) - 2
        assert found == stats | {
            "count": len(left),
            "successes": 2,
            "failed_to_download": failed,
            "status_dict": {"success": 2} | ({"404": 1} if failed else {}),
        }


def test_images_that_are_not_where_the_run_read_them(tmp_path):
    tar = tar_of(tmp_path / "0.tar", ROWS)
    with pytest.raises(ScannerError, match="does not hold its images where the run read them"):
        rewrite_shard(tar, tar.stat().st_size, Cut(images=frozenset({77}), keys=frozenset()), tmp_path / "new" / "0")
    assert not (tmp_path / "new").exists()
