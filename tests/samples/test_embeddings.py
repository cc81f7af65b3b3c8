"""Data sets of embeddings: rows = samples + failures, and the embeddings are exactly those of their rows."""

import io
import json
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from embedding_reader import EmbeddingReader
from upath import UPath

from scanner.errors import UnusableInputError
from scanner.samples import Columns, Failure, Options, Sample, open_dataset, own_embeddings
from tests.samples.embedded import names, unit, write_clip_retrieval, write_datacomp
from tests.samples.pictures import encode, photo_like


def read(path, **options) -> tuple[list[Sample], list[Failure], list[Failure]]:
    """Samples, failures of rows, and remarks."""
    dataset = open_dataset(path, Options(**options))
    items = [item for shard in dataset.shards for item in dataset.read(shard)]
    samples = [item for item in items if isinstance(item, Sample)]
    failures = [item for item in items if isinstance(item, Failure)]
    return samples, [failure for failure in failures if failure.key], [f for f in failures if not f.key]


def stacked(samples: list[Sample]) -> np.ndarray:
    return np.stack([sample.embedding for sample in samples])


@pytest.fixture
def three_parts(tmp_path) -> Path:
    """12 partitions were asked for, three were filled: 00, 01 and 02, of 100, 3 and 200 rows."""
    sizes = (100, 3, 200)
    parts = [(unit(size, seed=i), names(size, 1000 * i)) for i, size in enumerate(sizes)]
    return write_clip_retrieval(tmp_path / "laion", parts, partitions=12)


def test_clip_retrieval_rows_carry_the_embeddings_of_their_files(three_parts):
    dataset = open_dataset(three_parts)
    assert dataset.layout == "clip-retrieval"
    assert [shard.name for shard in dataset.shards] == [f"img_emb/img_emb_0{i}" for i in range(3)]
    samples, failures, remarks = read(three_parts)
    assert (len(samples), failures, remarks) == (303, [], [])
    assert np.array_equal(stacked(samples), np.concatenate([unit(100), unit(3, seed=1), unit(200, seed=2)]))
    last = samples[102]
    assert (last.shard, last.key, last.caption) == ("img_emb/img_emb_01", "000001002", "caption 1002")
    assert (last.url, last.encoded, last.file) == ("https://example.org/1002.jpg", None, None)
    assert last.extra["similarity"] == 10.02


def test_the_planted_data_set_is_what_the_tools_own_reader_reads(three_parts):
    reader = EmbeddingReader(
        str(three_parts / "img_emb"),
        file_format="parquet_npy",
        metadata_folder=str(three_parts / "metadata"),
        meta_columns=["key", "caption"],
    )
    batches = list(reader(batch_size=64, show_progress=False))
    keys = [key for _, frame in batches for key in frame["key"]]
    samples, _, _ = read(three_parts)
    assert keys == [sample.key for sample in samples]
    assert np.array_equal(np.concatenate([vectors for vectors, _ in batches]), stacked(samples))


@pytest.mark.parametrize("named", ["", "img_emb", "img_emb/*.npy"])
def test_the_folder_its_img_emb_and_its_files_are_one_data_set(three_parts, named):
    samples, _, _ = read(f"{three_parts}/{named}")
    assert [sample.key for sample in samples] == [sample.key for sample in read(three_parts)[0]]


def test_one_partition_can_be_named(three_parts):
    samples, failures, _ = read(three_parts / "img_emb" / "img_emb_01.npy")
    assert ([sample.key for sample in samples], failures) == ([f"00000100{i}" for i in range(3)], [])


def test_laions_folders_have_other_names(three_parts):
    (three_parts / "metadata").rename(three_parts / "laion1B-nolang-metadata")
    (three_parts / "img_emb").rename(three_parts / "images")
    samples, failures, _ = read(three_parts)
    assert (len(samples), failures) == (303, [])


def test_numbers_are_ordered_as_numbers(tmp_path):
    parts = [(unit(1, seed=i), names(1, i)) for i in range(11)]
    samples, _, _ = read(write_clip_retrieval(tmp_path, parts, partitions=1))
    assert [sample.key for sample in samples] == [f"{i:09d}" for i in range(11)]


def test_memory_gives_the_same_rows(three_parts):
    there = UPath("memory://embeddings/laion")
    for file in three_parts.rglob("*.*"):
        target = there / file.relative_to(three_parts).as_posix()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    samples, failures, _ = read(str(there))
    assert (len(samples), failures) == (303, [])
    assert np.array_equal(stacked(samples), stacked(read(three_parts)[0]))


def test_selection_and_columns_named_by_the_user_work(three_parts):
    samples, failures, _ = read(three_parts, where="similarity < 0.5", columns=Columns(key="url"), limit=60)
    assert [sample.key for sample in samples] == [f"https://example.org/{i}.jpg" for i in range(50)]
    assert Counter(failure.reason for failure in failures) == {"where": 253}
    assert len(samples) + len(failures) == 303
    with pytest.raises(UnusableInputError, match="--caption-column names the column nothing"):
        open_dataset(three_parts, Options(columns=Columns(caption="nothing")))


def test_without_a_key_the_path_is_the_key_and_without_a_path_the_row(tmp_path):
    paths = names(3) | {"image_path": ["a/x.jpg", "b/x.jpg", ""]}
    del paths["key"]
    samples, _, _ = read(write_clip_retrieval(tmp_path / "one", [(unit(3), paths)], 1))
    assert [sample.key for sample in samples] == ["a/x.jpg", "b/x.jpg", "2"]
    del paths["image_path"]
    samples, _, _ = read(write_clip_retrieval(tmp_path / "two", [(unit(3), paths)], 1))
    assert [sample.key for sample in samples] == ["0", "1", "2"]


def test_images_in_the_data_sets_folder_are_located_and_no_others(tmp_path):
    data = tmp_path / "data"
    picture = encode(photo_like(1))
    for place in (data / "photos" / "a.png", data / "photos" / "b.PNG", tmp_path / "outside.png"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture)
    paths = ["photos/a.png", str(data / "photos" / "b.PNG"), "../outside.png", str(tmp_path / "outside.png")]
    paths += ["photos/gone.png", "metadata/metadata_0.parquet", "photos", "x\0.png", "http://example.org/a.png"]
    rows = names(len(paths)) | {"image_path": paths}
    samples, failures, _ = read(write_clip_retrieval(data, [(unit(len(paths)), rows)], 1))
    assert (len(samples), failures) == (len(paths), [])
    assert [sample.file for sample in samples] == ["photos/a.png", "photos/b.PNG"] + [None] * 7
    assert {sample.encoded for sample in samples} == {None}


def test_rows_that_hold_no_usable_embedding_are_failures(tmp_path):
    vectors = unit(6)
    vectors[1, 3] = np.nan
    vectors[2] = 0
    vectors[4, 0] = -np.inf
    samples, failures, remarks = read(write_clip_retrieval(tmp_path, [(vectors, names(6))], 1))
    assert [(failure.key, failure.stage, failure.reason) for failure in failures] == [
        (f"{i:09d}", "read", "bad_embedding") for i in (1, 2, 4)
    ]
    assert np.array_equal(stacked(samples), vectors[[0, 3, 5]])
    assert remarks == []


@pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", "<f8"])
def test_other_lengths_are_brought_to_one_and_remarked_on_once_a_shard(tmp_path, dtype):
    plain = unit(8).astype(np.float64)
    stored = plain.copy()
    stored[5] *= 20
    stored[7] *= 0.03
    parts = [(stored.astype(dtype), names(8)), (plain.astype(dtype), names(8, 100))]
    samples, failures, remarks = read(write_clip_retrieval(tmp_path, parts, 2))
    assert (len(samples), failures) == (16, [])
    assert [(remark.shard, remark.reason) for remark in remarks] == [("img_emb/img_emb_0", "not_unit_length")]
    assert "row 5 is the first, of length 20" in remarks[0].message
    vectors = stacked(samples)
    assert vectors.dtype == np.float16
    assert np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1).max() < 1e-3
    assert np.abs(vectors[:8].astype(np.float64) - plain).max() < 1e-3
    assert np.array_equal(vectors[[0, 1, 2, 3, 4, 6]], unit(8)[[0, 1, 2, 3, 4, 6]])


def test_a_key_that_stands_twice_is_a_failure_the_second_time(tmp_path):
    rows = names(4) | {"key": ["a", "b", "a", None]}
    rows["image_path"][3] = "a"
    samples, failures, _ = read(write_clip_retrieval(tmp_path, [(unit(4), rows)], 1))
    assert [sample.key for sample in samples] == ["a", "b"]
    assert [(failure.key, failure.reason) for failure in failures] == [("a", "duplicate_key")] * 2


def test_counts_that_differ_name_the_file_and_both_numbers(three_parts):
    pd.DataFrame(names(99)).to_parquet(three_parts / "metadata" / "metadata_00.parquet")
    with pytest.raises(UnusableInputError) as error:
        open_dataset(three_parts)
    said = str(error.value)
    assert "img_emb/img_emb_00.npy holds 100 embeddings" in said
    assert "metadata/metadata_00.parquet has 99 rows" in said


def test_widths_that_differ_name_both_files(three_parts):
    np.save(three_parts / "img_emb" / "img_emb_02.npy", unit(200, width=48))
    with pytest.raises(UnusableInputError, match=r"img_emb_00.npy are 32 wide and those in .*img_emb_02.npy 48"):
        open_dataset(three_parts)


@pytest.mark.parametrize("gone", ["img_emb/img_emb_01.npy", "metadata/metadata_01.parquet"])
def test_a_file_without_its_counterpart_is_named(three_parts, gone):
    (three_parts / gone).unlink()
    left = "metadata_01.parquet has no .npy" if "npy" in gone else "img_emb_01.npy has no .parquet"
    with pytest.raises(UnusableInputError, match=left):
        open_dataset(three_parts)


def test_two_files_of_one_number_are_refused(three_parts):
    shutil.copytree(three_parts / "img_emb", three_parts / "old")
    with pytest.raises(UnusableInputError, match="are both partition 0"):
        open_dataset(three_parts)


def npy(array: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def claims(shape: str, descr: str = "<f2") -> bytes:
    """A .npy whose header says so."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not numpy at all",
        npy(np.zeros((100, 32), np.int16)),
        npy(np.zeros(100, np.float16)),
        npy(np.asfortranarray(unit(100))),
        npy(np.array([["x"]], dtype=object), allow_pickle=True),
        claims("(100, 0)"),
        claims("(-100, 32)"),
        claims("(100, 999999999999)"),
        claims("(100, 32", "<f2"),
        claims("__import__('os').getpid()"),
    ],
)
def test_a_file_that_is_no_embeddings_is_refused(three_parts, content):
    (three_parts / "img_emb" / "img_emb_00.npy").write_bytes(content)
    with pytest.raises(UnusableInputError, match=r"img_emb_00.npy (can't be read|holds)"):
        open_dataset(three_parts)


def test_a_parquet_that_is_none_is_refused(three_parts):
    (three_parts / "metadata" / "metadata_01.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UnusableInputError, match=r"metadata_01.parquet can't be read as parquet"):
        open_dataset(three_parts)


def test_of_a_file_that_is_cut_the_rows_before_the_cut_are_read(three_parts):
    file = three_parts / "img_emb" / "img_emb_00.npy"
    file.write_bytes(file.read_bytes()[: 128 + 70 * 64 + 5])
    samples, failures, _ = read(three_parts)
    assert (len(samples), len(failures)) == (303 - 30, 30)
    assert {failure.reason for failure in failures} == {"truncated_embeddings"}
    assert [failure.key for failure in failures] == [f"{i:09d}" for i in range(70, 100)]


def test_of_a_damaged_row_group_only_its_rows_are_lost(tmp_path):
    folder = write_clip_retrieval(tmp_path, [(unit(300), names(300))], 1)
    table = folder / "metadata" / "metadata_0.parquet"
    frame = pa.Table.from_pandas(pd.DataFrame(names(300)))
    pq.write_table(frame, table, row_group_size=100, compression="none", write_page_checksum=True, use_dictionary=False)
    metadata = pq.read_metadata(table)
    content = bytearray(table.read_bytes())
    start = metadata.row_group(1).column(1).data_page_offset
    content[start + 100 : start + 160] = bytes(60)
    table.write_bytes(content)
    samples, failures, _ = read(folder)
    assert len(samples) + len(failures) == 300
    assert {failure.reason for failure in failures} == {"unreadable_row_group"}
    assert [sample.key for sample in samples if int(sample.key) >= 200] == [f"{i:09d}" for i in range(200, 300)]
    by_key = {int(sample.key): sample.embedding for sample in samples}
    assert all(np.array_equal(vector, unit(300)[key]) for key, vector in by_key.items())


def test_a_caption_that_is_not_text_is_a_failure_of_its_row(tmp_path):
    folder = write_clip_retrieval(tmp_path, [(unit(3), names(3))], 1)
    table = pa.table({"key": ["a", "b", "c"], "caption": pa.array([b"x", b"\xff\xfe", b"z"]).view(pa.string())})
    pq.write_table(table, folder / "metadata" / "metadata_0.parquet")
    samples, failures, _ = read(folder)
    assert [sample.key for sample in samples] == ["a", "c"]
    assert [(failure.key, failure.reason) for failure in failures] == [("1", "caption_not_utf8")]


UIDS = [f"{i:032x}" for i in range(5)]


@pytest.fixture
def datacomp(tmp_path) -> Path:
    for part in range(2):
        arrays = {
            "b32_img": unit(5, 8, seed=part),
            "b32_txt": unit(5, 8, seed=part + 10),
            "l14_img": unit(5, 12, seed=part + 20),
            "l14_txt": unit(5, 12, seed=part + 30),
        }
        rows = {
            "uid": [f"{part}{uid[1:]}" for uid in UIDS],
            "url": [f"https://example.org/{part}/{i}" for i in range(5)],
            "text": [f"text {part} {i}" for i in range(5)],
            "sha256": ["0" * 64] * 5,
        }
        write_datacomp(tmp_path / "pool" / "metadata", f"{part}abc", arrays, rows)
    return tmp_path / "pool"


@pytest.mark.parametrize(("array", "width", "seed"), [(None, 12, 20), ("b32_img", 8, 0), ("l14_txt", 12, 30)])
def test_datacomp_reads_the_better_model_unless_told_otherwise(datacomp, array, width, seed):
    samples, failures, remarks = read(datacomp, columns=Columns(embedding=array))
    assert (len(samples), failures, remarks) == (10, [], [])
    assert np.array_equal(stacked(samples), np.concatenate([unit(5, width, seed), unit(5, width, seed + 1)]))
    assert [sample.key for sample in samples[:5]] == UIDS
    assert (samples[7].shard, samples[7].caption) == ("metadata/1abc", "text 1 2")
    own = own_embeddings(open_dataset(datacomp, Options(columns=Columns(embedding=array))))
    assert (own.array, own.width) == (array or "l14_img", width)


def test_the_checksum_of_own_embeddings_tells_arrays_and_layouts_apart(datacomp, three_parts):
    found = [open_dataset(datacomp, Options(columns=Columns(embedding=name))) for name in ("l14_img", "b32_img")]
    checksums = {own_embeddings(dataset).checksum for dataset in (*found, open_dataset(three_parts))}
    assert len(checksums) == 3
    assert own_embeddings(found[0]).checksum == own_embeddings(open_dataset(datacomp)).checksum


def test_an_array_that_is_not_there_is_named_with_those_that_are(datacomp):
    with pytest.raises(
        UnusableInputError, match=r"looked for g14_img; found b32_img b32_txt l14_img l14_txt.*--embedd"
    ):
        open_dataset(datacomp, Options(columns=Columns(embedding="g14_img")))


def test_datacomp_counts_that_differ_are_refused(datacomp):
    file = datacomp / "metadata" / "1abc.parquet"
    pd.read_parquet(file).head(4).to_parquet(file)
    with pytest.raises(UnusableInputError, match=r"1abc.npz holds 5 embeddings, but .*1abc.parquet has 4 rows"):
        open_dataset(datacomp)


@pytest.mark.parametrize("compressed", [False, True])
def test_of_a_damaged_npz_every_row_is_accounted_for(tmp_path, compressed):
    rows = {"uid": [f"{i:032x}" for i in range(3000)], "text": ["x"] * 3000}
    folder = write_datacomp(tmp_path, "part", {"l14_img": unit(3000, 64)}, rows)
    file = folder / "part.npz"
    if compressed:
        np.savez_compressed(file, l14_img=unit(3000, 64))
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    file.write_bytes(content)
    samples, failures, _ = read(folder)
    assert len(samples) + len(failures) == 3000
    reasons = Counter(failure.reason for failure in failures)
    assert reasons.keys() <= {"truncated_embeddings", "bad_embedding"}
    assert reasons["truncated_embeddings"] >= 1
    assert len(samples) > 1000


def test_a_cut_npz_is_refused(datacomp):
    file = datacomp / "metadata" / "0abc.npz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UnusableInputError, match=r"0abc.npz can't be read as a file of embeddings"):
        open_dataset(datacomp)


def test_a_lonely_npz_of_datacomp_is_named(datacomp):
    (datacomp / "metadata" / "1abc.parquet").unlink()
    with pytest.raises(UnusableInputError, match=r"1abc.npz has no .parquet"):
        open_dataset(datacomp)


def test_some_other_npz_beside_images_changes_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(photo_like(1)))
    np.savez(tmp_path / "statistics.npz", mean=np.zeros(3))
    (tmp_path / "broken.npz").write_bytes(b"PK")
    assert open_dataset(tmp_path).layout == "folder"
    pd.DataFrame({"file_name": ["a.png"], "text": ["x"]}).to_parquet(tmp_path / "metadata.parquet")
    assert open_dataset(tmp_path).layout == "folder"


def test_a_layout_can_be_forced_and_then_must_be_there(three_parts):
    assert open_dataset(three_parts, Options(layout="clip-retrieval")).layout == "clip-retrieval"
    with pytest.raises(UnusableInputError, match="holds no data set; looked for DataComp's metadata"):
        open_dataset(three_parts, Options(layout="datacomp"))


def test_files_of_a_shard_are_both_of_its_pair(datacomp):
    shard = open_dataset(datacomp).shards[1]
    assert set(shard.files) == {"metadata/1abc.npz", "metadata/1abc.parquet"}
    before = shard.fingerprint
    file = datacomp / "metadata" / "1abc.npz"
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("note.txt", json.dumps("x"))
    assert open_dataset(datacomp).shards[1].fingerprint != before
