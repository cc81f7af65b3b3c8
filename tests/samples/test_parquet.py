"""Images in parquet files, each written by the tool that writes such files: rows in = samples + failures."""

import datetime
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Image, List, Value

from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import Columns, Failure, Options, Sample, StoredImages, Undecodable, open_dataset
from scanner.tables import SAMPLES
from tests.samples.pictures import encode, photo_like

IMAGES = [encode(photo_like(seed, 20, 30)) for seed in range(8)]
Read = tuple[list[Sample], list[Failure]]


def read_all(path: Path | str, **options) -> Read:
    """Everything that a data set gives, each image read again in order, backwards, and by another process's copy."""
    dataset = open_dataset(path, Options(**options))
    items = [item for shard in dataset.shards for item in dataset.read(shard)]
    samples = [item for item in items if isinstance(item, Sample)]
    images = StoredImages(str(dataset.root), options.get("columns"))
    for again in (images, pickle.loads(pickle.dumps(images))):
        for sample in [*samples, *reversed(samples)]:
            assert again(sample.file, sample.offset, len(sample.encoded)) == sample.encoded
    return samples, [item for item in items if isinstance(item, Failure)]


def keys(failures: list[Failure]) -> dict[str, str]:
    assert len({failure.key for failure in failures}) == len(failures)
    return {failure.key: failure.reason for failure in failures}


def hugging_face(path: Path, rows: range, **columns) -> Path:
    """A file as `datasets` writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": IMAGES[row % len(IMAGES)], "path": f"{row}.png"} for row in rows]
    features = {name: Value("string") for name in columns}
    data = {"image": images, **columns}
    Dataset.from_dict(data, features=Features({"image": Image(), **features})).to_parquet(path)
    return path


def structs(rows: list[tuple[bytes | None, str | None] | None]) -> pa.Array:
    cells = [None if row is None else dict(zip(("bytes", "path"), row, strict=True)) for row in rows]
    return pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))


def test_what_datasets_writes_is_read_at_any_depth(tmp_path):
    for split, rows in (("train-00000-of-00002", range(3)), ("train-00001-of-00002", range(3, 5))):
        texts = [f"picture {row}" for row in rows]
        hugging_face(tmp_path / "data" / f"{split}.parquet", rows, text=texts, url=[f"http://x/{row}" for row in rows])
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "banner.png").write_bytes(IMAGES[0])
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "old.parquet").write_bytes(b"not even a parquet")
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.root) == ("parquet", tmp_path)
    names = ["data/train-00000-of-00002", "data/train-00001-of-00002"]
    assert [(shard.name, shard.index, list(shard.files)) for shard in dataset.shards] == [
        (name, index, [f"{name}.parquet"]) for index, name in enumerate(names)
    ]
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.shard, s.key, s.offset, s.caption, s.url, s.encoded) for s in samples] == [
        (names[row // 3], str(row % 3), row % 3, f"picture {row}", f"http://x/{row}", IMAGES[row]) for row in range(5)
    ]
    assert samples[4].extra == {"text": "picture 4", "url": "http://x/4"}
    assert samples[4].file == "data/train-00001-of-00002.parquet"


def test_files_that_are_named_are_the_data_set(tmp_path):
    for name in ("train", "test"):
        hugging_face(tmp_path / f"{name}.parquet", range(2), text=["a", "b"])
    assert [shard.name for shard in open_dataset(tmp_path / "test.parquet").shards] == ["test"]
    assert [shard.name for shard in open_dataset(f"{tmp_path}/t*.parquet").shards] == ["test", "train"]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_what_img2dataset_writes_is_read_and_failed_downloads_are_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")  # or importing img2dataset looks for updates on the network
    from img2dataset.writer import ParquetSampleWriter  # noqa: PLC0415

    names = ("key", "url", "caption", "status", "error_message")
    schema = pa.schema([(name, pa.string()) for name in names]).append(pa.field("width", pa.int32()))
    writer = ParquetSampleWriter(0, str(tmp_path), True, 5, schema, "webp")
    webp = [encode(photo_like(seed, 20, 30), "WEBP") for seed in range(3)]
    rows = [
        ("000000002", "a red cat", "success", None, webp[0]),
        ("000000000", None, "failed_to_download", "HTTP Error 404: Not Found", None),
        ("000000001", "a blue dog", "success", None, webp[1]),
        ("000000003", "a bird", "failed_to_resize", None, None),
    ]
    for key, caption, status, message, image in rows:
        meta = dict(zip(names, (key, f"http://x/{key}", caption, status, message), strict=True)) | {"width": 30}
        writer.write(image, key, caption, meta)
    writer.close()
    (tmp_path / "00000_stats.json").write_text('{"count": 4}')
    assert open_dataset(tmp_path).layout == "parquet"
    samples, failures = read_all(tmp_path)
    assert [(s.key, s.caption, s.url, s.encoded, s.offset, s.extra["width"]) for s in samples] == [
        ("000000002", "a red cat", "http://x/000000002", webp[0], 0, 30),
        ("000000001", "a blue dog", "http://x/000000001", webp[1], 2, 30),
    ]
    assert [(f.key, f.stage, f.reason, f.message) for f in failures] == [
        ("000000000", "download", "failed_to_download", "HTTP Error 404: Not Found"),
        ("000000003", "download", "failed_to_resize", "img2dataset gives no error message."),
    ]
    (tmp_path / "00000_stats.json").write_text('{"count": 5}')
    assert [(f.key, f.reason) for f in read_all(tmp_path)[1]][2:] == [("", "row_count")]


def test_what_polars_writes_is_read(tmp_path):
    frame = pl.DataFrame({"UID": [7, 8], "JPG": IMAGES[:2], "TEXT": ["a", " "], "tags": [["x"], []]})
    frame.write_parquet(tmp_path / "shard.parquet")
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.key, s.caption, s.encoded, s.extra) for s in samples] == [
        ("7", "a", IMAGES[0], {"UID": 7, "TEXT": "a", "tags": ["x"]}),
        ("8", None, IMAGES[1], {"UID": 8, "TEXT": " ", "tags": []}),
    ]


def test_the_image_column_is_found_by_name_then_by_hugging_faces_type(tmp_path):
    features = Features({"label": Value("int64"), "img": Image(), "thumb": Value("binary")})
    row = {"label": 3, "img": {"bytes": IMAGES[1], "path": None}, "thumb": IMAGES[2]}
    Dataset.from_list([row], features=features).to_parquet(tmp_path / "a.parquet")
    assert [sample.encoded for sample in read_all(tmp_path)[0]] == [IMAGES[1]]
    assert [sample.encoded for sample in read_all(tmp_path, columns=Columns(image="thumb"))[0]] == [IMAGES[2]]
    two = Features({"before": Image(), "after": Image()})
    Dataset.from_list([{"before": row["img"], "after": row["img"]}], features=two).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(
        UnusableInputError, match=r"no image column .*found before after\); name it with --image-column"
    ):
        open_dataset(tmp_path)


def test_of_a_list_of_captions_the_first_counts(tmp_path):
    features = Features({"image": Image(), "caption": List(Value("string"))})
    captions = [["a cat", "a tabby"], [" ", "a dog"], [], None]
    rows = [{"image": {"bytes": IMAGES[i], "path": None}, "caption": caption} for i, caption in enumerate(captions)]
    Dataset.from_list(rows, features=features).to_parquet(tmp_path / "a.parquet")
    samples, _ = read_all(tmp_path)
    assert [sample.caption for sample in samples] == ["a cat", "a dog", None, None]
    assert samples[0].extra == {"caption": ["a cat", "a tabby"]}


def test_a_column_that_holds_no_text_is_not_the_caption(tmp_path):
    table = pa.table({"image": IMAGES[:1], "text": [5], "caption": ["a cat"], "url": [5]})
    pq.write_table(table, tmp_path / "a.parquet")
    (sample,), _ = read_all(tmp_path)
    assert (sample.caption, sample.url) == ("a cat", None)


def test_paths_are_followed_inside_the_data_set_and_nowhere_else(tmp_path):
    outside = tmp_path / "secret.png"
    outside.write_bytes(IMAGES[7])
    root = tmp_path / "set"
    (root / "data" / "near").mkdir(parents=True)
    (root / "far").mkdir()
    (root / "data" / "near" / "a.png").write_bytes(IMAGES[0])
    (root / "far" / "b.png").write_bytes(IMAGES[1])
    paths = {
        "near/a.png": None,
        "far/b.png": None,
        f"{root}/far/b.png": None,
        "near/none.png": "missing_image",
        str(outside): "unsafe_member",
        "../../secret.png": "unsafe_member",
        f"{root}/../secret.png": "unsafe_member",
        f"file://{outside}": "unsafe_member",
        "x" * 5000: "missing_image",
        "nul\0.png": "missing_image",
    }
    cells = [*((None, path) for path in paths), (IMAGES[2], "../../secret.png"), (None, None), None]
    for column in (structs(cells), pa.array([path if path else None for _, path in filter(None, cells)])):
        pq.write_table(pa.table({"image": column, "text": ["t"] * len(column)}), root / "data" / "t.parquet")
        samples, failures = read_all(root)
        found = {int(sample.key): (sample.file, sample.offset, sample.encoded) for sample in samples}
        expected = {
            0: ("data/near/a.png", 0, IMAGES[0]),
            1: ("far/b.png", 0, IMAGES[1]),
            2: ("far/b.png", 0, IMAGES[1]),
        }
        reasons = {str(row): reason for row, reason in enumerate(paths.values()) if reason is not None}
        if isinstance(column, pa.StructArray):
            expected[10] = ("data/t.parquet", 10, IMAGES[2])
            reasons |= {"11": "missing_image", "12": "missing_image"}
        else:
            reasons |= {"10": "unsafe_member", "11": "missing_image"}
        assert found == expected
        assert keys(failures) == reasons
        assert len(samples) + len(failures) == len(column)


def test_a_file_of_many_rows_is_several_shards_of_whole_row_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("scanner.samples._parquet.SHARD_ROWS", 100)
    rows = 330
    table = pa.table({"image": [IMAGES[row % 8] for row in range(rows)], "n": range(rows)})
    pq.write_table(table, tmp_path / "big.parquet", row_group_size=40)
    pq.write_table(table, tmp_path / "one.parquet")
    dataset = open_dataset(tmp_path)
    counts = {shard.name: [int(item.key) for item in dataset.read(shard)] for shard in dataset.shards}
    assert [shard.index for shard in dataset.shards] == list(range(5))
    assert counts == {
        "big:0": list(range(80)),
        "big:1": list(range(80, 160)),
        "big:2": list(range(160, 240)),
        "big:3": list(range(240, 330)),
        "one": list(range(330)),
    }
    samples, _ = read_all(tmp_path)
    assert all(s.encoded == IMAGES[s.offset % 8] and s.extra == {"n": s.offset} for s in samples)


def test_further_rows_of_a_key_are_failures_and_a_picture_id_is_no_key(tmp_path):
    table = {"image": IMAGES[:5], "key": ["a", "b", "a", None, ""], "image_id": [1, 1, 2, 2, 2], "hash": [5] * 5}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    samples, failures = read_all(tmp_path)
    assert [(sample.key, sample.offset) for sample in samples] == [("a", 0), ("b", 1), ("3", 3), ("4", 4)]
    assert [(f.key, f.reason) for f in failures] == [("a", "duplicate_key")]
    pq.write_table(pa.table(table).drop_columns("key"), tmp_path / "a.parquet")
    assert [sample.key for sample in read_all(tmp_path)[0]] == list("01234")
    samples, failures = read_all(tmp_path, columns=Columns(key="image_id"))
    assert [sample.key for sample in samples] == ["1", "2"]
    assert [failure.key for failure in failures] == ["1", "2", "2"]


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_damaged_row_group_is_lost_row_by_row_and_the_others_are_read(tmp_path, compression):
    path = tmp_path / "a.parquet"
    rows = 50
    table = pa.table({"image": [IMAGES[row % 8] for row in range(rows)], "key": [f"k{row}" for row in range(rows)]})
    pq.write_table(table, path, row_group_size=10, compression=compression, use_dictionary=False)
    chunk = pq.read_metadata(path).row_group(2).column(0)
    content = bytearray(path.read_bytes())
    content[chunk.data_page_offset : chunk.data_page_offset + 40] = b"\xff" * 40
    path.write_bytes(content)
    samples, failures = read_all(tmp_path)
    assert [sample.offset for sample in samples] == [*range(20), *range(30, 50)]
    assert {sample.key for sample in samples} == {f"k{row}" for row in [*range(20), *range(30, 50)]}
    assert keys(failures) == {str(row): "unreadable_row_group" for row in range(20, 30)}


def test_a_checksum_tells_of_damage_inside_an_image(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"image": IMAGES * 2})
    pq.write_table(table, path, row_group_size=8, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[content.index(IMAGES[3]) + 60] ^= 255
    path.write_bytes(content)
    samples, failures = read_all(tmp_path)
    assert [sample.offset for sample in samples] == list(range(8, 16))
    assert keys(failures) == {str(row): "unreadable_row_group" for row in range(8)}


def test_a_row_that_python_cannot_hold_is_a_failure_of_its_own(tmp_path):
    text = pa.array([b"ok", b"K\xe4fer", b"fine", b"late"], pa.binary()).view(pa.string())
    days = pa.array([0, 0, 0, 10**8], pa.int32()).view(pa.date32())
    pq.write_table(pa.table({"image": IMAGES[:4], "text": text, "day": days}), tmp_path / "a.parquet")
    samples, failures = read_all(tmp_path)
    assert [(s.key, s.caption, s.extra["day"]) for s in samples] == [
        ("0", "ok", datetime.date(1970, 1, 1)),
        ("2", "fine", datetime.date(1970, 1, 1)),
    ]
    assert keys(failures) == {"1": "caption_not_utf8", "3": "broken_metadata"}


def test_a_broken_file_among_others_stands_in_the_ledger(tmp_path):
    hugging_face(tmp_path / "good.parquet", range(2), text=["a", "b"])
    (tmp_path / "bad.parquet").write_bytes((tmp_path / "good.parquet").read_bytes()[:-9])
    samples, failures = read_all(tmp_path)
    assert [(sample.shard, sample.key) for sample in samples] == [("good", "0"), ("good", "1")]
    assert [(f.shard, f.key, f.reason) for f in failures] == [("bad", "", "unreadable_parquet")]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (
            {"text": ["a"], "picture": [b"x"]},
            r"a\.parquet has no image column \(looked for jpg .*; found text picture\)",
        ),
        ({"text": ["a"], "image": [[1, 2]]}, r"a\.parquet has its images in image as list<.*int64>; use bytes"),
    ],
)
def test_a_table_without_images_is_refused_with_what_it_has(tmp_path, columns, says):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    for where in (tmp_path, tmp_path / "a.parquet"):
        with pytest.raises(UnusableInputError, match=says):
            open_dataset(where)


def test_tables_with_and_without_images_are_not_one_data_set(tmp_path):
    hugging_face(tmp_path / "a.parquet", range(1), text=["a"])
    pq.write_table(pa.table({"vector": [[1.0]], "n": [1]}), tmp_path / "b.parquet")
    with pytest.raises(UnusableInputError, match=r"b\.parquet has none \(found vector n\)"):
        open_dataset(tmp_path)
    assert len(read_all(tmp_path / "a.parquet")[0]) == 1


def test_tables_beside_images_leave_the_images_to_the_folder(tmp_path):
    (tmp_path / "a.png").write_bytes(IMAGES[0])
    pq.write_table(pa.table({"n": [1]}), tmp_path / "statistics.parquet")
    assert open_dataset(tmp_path).layout == "folder"


def test_a_condition_and_carried_columns_see_all_columns(tmp_path):
    hugging_face(tmp_path / "a.parquet", range(4), text=list("abcd"), license=["x", "y", "x", "y"])
    samples, failures = read_all(tmp_path, where="license = 'y'", carry=("license",))
    assert [(sample.key, sample.extra["license"]) for sample in samples] == [("1", "y"), ("3", "y")]
    assert keys(failures) == {"0": "where", "2": "where"}


def test_a_remote_file_gives_the_same_rows(tmp_path):
    hugging_face(tmp_path / "data" / "a.parquet", range(5), text=list("abcde"))
    store = fsspec.filesystem("memory")
    store.pipe_file("/tables/data/a.parquet", (tmp_path / "data" / "a.parquet").read_bytes())
    store.pipe_file("/tables/data/b.png", IMAGES[6])
    pq.write_table(pa.table({"image": structs([(None, "b.png"), (None, "c.png")])}), tmp_path / "b.parquet")
    store.pipe_file("/tables/data/b.parquet", (tmp_path / "b.parquet").read_bytes())
    try:
        samples, failures = read_all("memory://tables")
        local, _ = read_all(tmp_path / "data")
    finally:
        store.rm("/tables", recursive=True)
    assert [(s.shard, s.key, s.caption, s.encoded) for s in samples] == [
        *(("data/a", s.key, s.caption, s.encoded) for s in local),
        ("data/b", "0", None, IMAGES[6]),
    ]
    assert keys(failures) == {"1": "missing_image"}


def test_one_large_row_group_is_streamed(tmp_path):
    """The file's single row group is 64 MB of images; a page of it, as written here, is 1 MB."""
    rows, image = 4096, np.random.default_rng(0).bytes(16384)
    schema = pa.schema([("image", pa.binary()), ("n", pa.int64())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema, compression="none", use_dictionary=False) as writer:
        writer.write_table(pa.table({"image": [image] * rows, "n": range(rows)}, schema), row_group_size=rows)
    assert pq.read_metadata(tmp_path / "a.parquet").num_row_groups == 1
    dataset = open_dataset(tmp_path)
    pool = pa.default_memory_pool()
    before, most, count = pool.bytes_allocated(), 0, 0
    tracemalloc.start()
    for sample in dataset.read(dataset.shards[0]):
        most, count = max(most, pool.bytes_allocated() - before), count + 1
        assert sample.encoded == image
    python = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == rows
    assert most + python < 48 << 20


def test_an_image_that_changed_or_went_away_is_gone(tmp_path):
    hugging_face(tmp_path / "a.parquet", range(3), text=list("abc"))
    for row, length in ((0, len(IMAGES[0]) - 1), (3, len(IMAGES[0])), (99, 1)):
        with pytest.raises(Undecodable, match="another image or none"):
            StoredImages(str(tmp_path))("a.parquet", row, length)
    images = StoredImages(str(tmp_path))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no parquet PAR1")
    for file in ("b.parquet", "c.parquet", "d.arrow"):
        with pytest.raises(Undecodable) as raised:
            images(file, 0, 10)
        assert raised.value.reason == "image_gone"


def test_reading_again_in_order_reads_each_row_group_once(tmp_path, monkeypatch):
    rows = 300
    pq.write_table(
        pa.table({"image": [IMAGES[row % 8] for row in range(rows)]}), tmp_path / "a.parquet", row_group_size=100
    )
    read: list[int] = []
    batches = pq.ParquetFile.iter_batches

    def counted(self, **how):
        read.extend(how["row_groups"])
        return batches(self, **how)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    images = StoredImages(str(tmp_path))
    for row in [*range(rows), *range(rows - 1, -1, -1)]:
        assert images("a.parquet", row, len(IMAGES[row % 8])) == IMAGES[row % 8]
    assert read == [0, 1, 2]
    shuffled = np.random.default_rng(0).permutation(rows).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda row: images("a.parquet", row, len(IMAGES[row % 8])), shuffled)
        assert list(found) == [IMAGES[row % 8] for row in shuffled]
    assert read == [0, 1, 2]
    other = StoredImages(str(tmp_path))
    assert other("a.parquet", 250, len(IMAGES[2])) == IMAGES[2]
    assert read == [0, 1, 2, 2]


def test_an_audit_of_a_hugging_face_data_set(tmp_path):
    from pipelines.cli import app, exit_code_of  # noqa: PLC0415 - slow to import

    hugging_face(tmp_path / "set" / "data" / "train.parquet", range(12), text=[f"picture {i % 8}" for i in range(12)])
    out = tmp_path / "run"
    assert exit_code_of(app, ["audit", str(tmp_path / "set"), "--out", str(out), "--model", "demo"]) == 0
    samples = Run.open(out).read(SAMPLES)
    assert samples["offset"].to_list() == list(range(12))
    assert samples["caption"].to_list() == [f"picture {i % 8}" for i in range(12)]


def test_an_image_behind_a_path_belongs_to_the_state_of_its_table(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(photo_like(0, 8, 8)))
    pl.DataFrame({"image_path": ["a.png", "../b.png", None]}).write_parquet(tmp_path / "t.parquet")
    first = open_dataset(tmp_path / "t.parquet").shards[0]
    assert set(first.files) == {"t.parquet", "a.png"}
    (tmp_path / "a.png").write_bytes(encode(photo_like(1, 8, 8)))
    assert open_dataset(tmp_path / "t.parquet").shards[0].fingerprint != first.fingerprint


@pytest.mark.parametrize("named", [Columns(caption="width"), Columns(url="width"), Columns(key="nowhere")])
def test_a_named_column_that_is_of_no_use_is_refused(tmp_path, named):
    pl.DataFrame({"image": [encode(photo_like(0, 8, 8))], "width": [8]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(UnusableInputError, match=r"has no (caption|url|key) column .*found"):
        open_dataset(tmp_path / "t.parquet", Options(columns=named))
