"""What `datasets` saves to disk is read without it: rows in = samples + failures."""

import json
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict, Features, Image, Value
from pyarrow import ipc

from scanner.errors import UnusableInputError
from scanner.samples import Columns, open_dataset
from tests.samples.test_parquet import IMAGES, keys, read_all

FEATURES = Features({"image": Image(), "text": Value("string")})


def made(rows: range) -> Dataset:
    images = [{"bytes": IMAGES[row % len(IMAGES)], "path": f"{row}.png"} for row in rows]
    return Dataset.from_dict({"image": images, "text": [f"picture {row}" for row in rows]}, features=FEATURES)


def saved(dataset: Dataset | DatasetDict, folder: Path, **how) -> Path:
    dataset.save_to_disk(str(folder), **how)
    return folder


def write_stream(path: Path, batches: list[dict], *, end: bool = True) -> Path:
    """An Arrow stream as pyarrow writes it; without its end marker on demand."""
    first = pa.RecordBatch.from_pydict(batches[0])
    with ipc.new_stream(path, first.schema) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_pydict(batch, first.schema))
    if not end:
        path.write_bytes(path.read_bytes()[:-8])
    return path


def test_a_saved_data_set_is_read_shard_by_shard(tmp_path):
    saved(made(range(7)), tmp_path, num_shards=2)
    dataset = open_dataset(tmp_path)
    names = ["data-00000-of-00002", "data-00001-of-00002"]
    assert (dataset.layout, dataset.root) == ("arrow", tmp_path)
    assert [(shard.name, list(shard.files)) for shard in dataset.shards] == [
        (name, [f"{name}.arrow"]) for name in names
    ]
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.shard, s.key, s.offset, s.file, s.caption, s.encoded, s.extra) for s in samples] == [
        (names[row // 4], str(row % 4), row % 4, f"{names[row // 4]}.arrow", text, IMAGES[row], {"text": text})
        for row, text in enumerate(f"picture {row}" for row in range(7))
    ]


def test_a_dictionary_of_splits_is_one_data_set(tmp_path):
    saved(DatasetDict(train=made(range(3)), test=made(range(3, 5))), tmp_path)
    names = ["train/data-00000-of-00001", "test/data-00000-of-00001"]
    assert [shard.name for shard in open_dataset(tmp_path).shards] == names
    samples, failures = read_all(tmp_path)
    assert failures == []
    assert [(s.shard, s.caption) for s in samples] == [(names[row // 3], f"picture {row}") for row in range(5)]
    assert [s.caption for s in read_all(tmp_path / "test")[0]] == ["picture 3", "picture 4"]


def test_a_selection_is_saved_as_its_own_rows(tmp_path):
    saved(made(range(6)).select([4, 1, 4]), tmp_path)
    samples, _ = read_all(tmp_path)
    assert [(sample.key, sample.encoded) for sample in samples] == [
        (str(i), IMAGES[row]) for i, row in enumerate([4, 1, 4])
    ]


def test_a_selection_that_an_old_release_stored_apart_is_refused(tmp_path):
    state = json.loads((saved(made(range(3)), tmp_path) / "state.json").read_text())
    state["_indices_data_files"] = [{"filename": "indices.arrow"}]
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(UnusableInputError, match=r"flatten_indices\(\) and save it again"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", ["../data.arrow", "/data.arrow", None, "data-00001-of-00001.arrow"])
def test_a_state_that_names_what_is_not_there_or_outside_is_refused(tmp_path, name):
    saved(made(range(3)), tmp_path / "set")
    (tmp_path / "data.arrow").write_bytes(b"")
    (tmp_path / "set" / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
    with pytest.raises(UnusableInputError, match=r"is not there; put it back|which is no file of this folder"):
        open_dataset(tmp_path / "set")


def test_a_data_set_without_its_parts_is_refused(tmp_path):
    saved(DatasetDict(train=made(range(3))), tmp_path)
    (tmp_path / "train" / "state.json").unlink()
    with pytest.raises(UnusableInputError, match=r"state\.json is not there"):
        open_dataset(tmp_path)
    (tmp_path / "dataset_dict.json").write_text("{")
    with pytest.raises(UnusableInputError, match=r"dataset_dict\.json can't be parsed"):
        open_dataset(tmp_path)


def test_a_stream_without_images_is_refused_with_what_it_has(tmp_path):
    saved(Dataset.from_dict({"text": ["a"], "picture": [b"x"]}), tmp_path)
    with pytest.raises(UnusableInputError, match=r"has no image column .*found text picture"):
        open_dataset(tmp_path)
    assert read_all(tmp_path, columns=Columns(image="picture"))[0][0].encoded == b"x"


def test_keys_and_paths_count_as_in_parquet(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(IMAGES[3])
    cells = [{"bytes": None, "path": path} for path in ("pictures/a.png", "pictures/b.png", "../x.png")]
    cells += [{"bytes": IMAGES[0], "path": None}, {"bytes": IMAGES[1], "path": None}]
    write_stream(tmp_path / "a.arrow", [{"image": cells, "key": list("abcdd")}])
    samples, failures = read_all(tmp_path / "a.arrow")
    assert [(s.key, s.file, s.offset, s.encoded) for s in samples] == [
        ("a", "pictures/a.png", 0, IMAGES[3]),
        ("d", "a.arrow", 3, IMAGES[0]),
    ]
    assert [(f.key, f.reason) for f in failures] == [
        ("b", "missing_image"),
        ("c", "unsafe_member"),
        ("d", "duplicate_key"),
    ]


def test_an_arrow_file_is_read_as_a_stream_is(tmp_path):
    table = pa.table({"image": IMAGES[:5], "text": list("abcde")})
    with ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    samples, failures = read_all(tmp_path / "a.arrow")
    assert ([(s.key, s.caption, s.encoded) for s in samples], failures) == (
        [(str(row), "abcde"[row], IMAGES[row]) for row in range(5)],
        [],
    )


@pytest.mark.parametrize("cut", [8, 40, 500, "all"])
def test_a_cut_stream_keeps_the_rows_before_the_cut_and_says_so(tmp_path, cut):
    path = write_stream(tmp_path / "a.arrow", [{"image": IMAGES[i : i + 2], "text": ["a", "b"]} for i in (0, 2, 4)])
    content = path.read_bytes()
    path.write_bytes(b"" if cut == "all" else content[:-cut])
    samples, failures = read_all(path)
    assert [s.offset for s in samples] == list(range({8: 6, "all": 0}.get(cut, 4)))
    assert [(f.key, f.reason) for f in failures] == [("", "truncated_shard")]
    assert f"the {len(samples)} rows before that" in failures[0].message


def test_a_batch_whose_offsets_point_anywhere_is_lost_row_by_row(tmp_path):
    batches = [{"image": IMAGES[i : i + 3], "text": ["a", "b", "c"]} for i in (0, 3)]
    path = write_stream(tmp_path / "a.arrow", batches)
    for column in ("image", "text"):
        offsets = pa.RecordBatch.from_pydict(batches[1]).column(column).buffers()[1].to_pybytes()[:16]
        content = bytearray(write_stream(path, batches).read_bytes())
        at = content.rindex(offsets)
        content[at + 4 : at + 8] = (2**30).to_bytes(4, "little")
        path.write_bytes(content)
        samples, failures = read_all(path)
        assert [s.offset for s in samples] == [0, 1, 2]
        assert keys(failures) == dict.fromkeys("345", "unreadable_batch")


def test_text_that_is_not_utf8_is_lost_alone(tmp_path):
    text = pa.array([b"ok", b"K\xe4fer", b"fine"], pa.binary()).view(pa.string())
    batch = pa.RecordBatch.from_pydict({"image": IMAGES[:3], "text": text, "more": [["x"], ["y"], None]})
    with ipc.new_stream(tmp_path / "a.arrow", batch.schema) as writer:
        writer.write_batch(batch)
    samples, failures = read_all(tmp_path / "a.arrow")
    assert [(s.key, s.caption, s.extra["more"]) for s in samples] == [("0", "ok", ["x"]), ("2", "fine", None)]
    assert keys(failures) == {"1": "caption_not_utf8"}


def test_a_remote_data_set_gives_the_same_rows(tmp_path):
    saved(DatasetDict(train=made(range(5)), test=made(range(2))), tmp_path / "set")
    store = fsspec.filesystem("memory")
    store.put(str(tmp_path / "set"), "/arrows", recursive=True)
    try:
        samples, failures = read_all("memory://arrows")
    finally:
        store.rm("/arrows", recursive=True)
    assert (samples, failures) == read_all(tmp_path / "set")
    assert len(samples) == 7
