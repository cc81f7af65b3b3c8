"""The stage: exact tables, every planted fault in the ledger, each distinct picture embedded once, resumable."""

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from scanner import tables
from scanner.errors import ScannerError
from scanner.fingerprints import (
    Fingerprinter,
    SeenPictures,
    load_embedder,
    perceptual_hash,
    pixel_sha256,
    stored_embeddings,
    thumbnail,
    write_shard,
)
from scanner.samples import Sample, StoredImages, decode, open_dataset
from scanner.tables import ERROR_PARTS, ERRORS, SAMPLES, SIGNALS
from tests.samples.pictures import JUNK_HTML, encode, photo_like, png_header, with_orientation
from tests.samples.test_webdataset import add

UPRIGHT = photo_like(1, 30, 44)
EXIF_COPY = encode(np.ascontiguousarray(np.rot90(UPRIGHT, 1)), exif=with_orientation(6))
SHARDS = {
    "00000": [
        ("00.png", encode(UPRIGHT)),
        ("00.txt", b"a cat"),
        ("01.jpg", b""),
        ("02.jpg", JUNK_HTML),
        ("03.jpg", EXIF_COPY),
        ("04.jpg", encode(photo_like(2), "JPEG")[:-200]),
        ("05.png", png_header(60_000, 60_000)),
        ("06.txt", b"no image"),
        ("07.png", encode(photo_like(3))),
        ("07.txt", b"K\xe4fer"),
        ("08.webp", encode(UPRIGHT, "WEBP", lossless=True)),
        ("09.jpg", encode(photo_like(4), "JPEG")),
        ("00.png", encode(photo_like(5))),
    ],
    "00001": [],
    "00002": [("20.png", encode(photo_like(6))), ("21.bmp", encode(UPRIGHT, "BMP")), ("22.jpg", b"GIF89a")],
}


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("demo", batch=4)


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for shard, members in SHARDS.items():
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for name, content in members:
                add(tar, name, content)
    return open_dataset(folder)


def scan(run: Path, dataset, embedder, only=slice(None)) -> list[int]:
    """What an engine does: each shard's embeddings, then its samples. Returns how many pictures the model saw."""
    embedded = []
    counted = CountingEmbedder(embedder)
    stage = Fingerprinter(counted, SeenPictures(run))
    for shard in dataset.shards[only]:
        before = counted.pictures
        write_shard(run, shard, stage(dataset, shard))
        embedded.append(counted.pictures - before)
    return embedded


def overwrite_embeddings(run: Path, part: str, vectors: np.ndarray) -> None:
    (run / "embeddings").mkdir(parents=True, exist_ok=True)
    np.save(run / "embeddings" / f"{part}.npy", vectors)


class CountingEmbedder:
    """The real embedder, counting the pictures it embeds."""

    def __init__(self, embedder) -> None:
        self._embedder = embedder
        self.pictures = 0

    def embed(self, prepared):
        self.pictures += len(prepared)
        return self._embedder.embed(prepared)

    def __getattr__(self, name: str):
        return getattr(self._embedder, name)


def test_a_shards_rows_are_exact(tmp_path, dataset, embedder):
    (rows,) = Fingerprinter(embedder, SeenPictures(tmp_path / "run"))(dataset, dataset.shards[0])
    assert rows.samples.schema == SAMPLES.schema
    assert rows.errors.schema == ERRORS.schema
    assert rows.samples["key"].to_list() == ["00", "03", "08", "09"]
    assert rows.samples["sample_id"].to_list() == [0, 1, 2, 3]
    assert rows.samples["caption"].to_list() == ["a cat", None, None, None]
    assert rows.samples.select("width", "height").row(1) == (44, 30)
    assert rows.samples["pixel_sha256"].n_unique() == 2
    assert rows.samples["file_sha256"].n_unique() == 4
    for row in rows.samples.to_dicts():
        picture = decode(StoredImages(str(dataset.root))(row["file"], row["offset"], row["length"]))
        assert row["pixel_sha256"] == pixel_sha256(picture)
        assert row["phash"] == perceptual_hash(picture)
        assert row["thumbnail"] == thumbnail(picture).tobytes()
    assert rows.errors.select("key", "stage", "reason").rows() == [
        ("00", "read", "duplicate_key"),
        ("01", "decode", "empty_file"),
        ("02", "decode", "not_an_image"),
        ("04", "decode", "truncated_image"),
        ("05", "decode", "too_many_pixels"),
        ("06", "read", "missing_image"),
        ("07", "read", "caption_not_utf8"),
    ]
    pictures = [decode(encode(UPRIGHT))] * 3 + [decode(SHARDS["00000"][11][1])]
    assert np.array_equal(rows.embeddings, embedder(pictures))


def test_an_empty_shard_and_the_ids_of_later_ones(tmp_path, dataset, embedder):
    stage = Fingerprinter(embedder, SeenPictures(tmp_path / "run"))
    (empty,), (last,) = (stage(dataset, shard) for shard in dataset.shards[1:])
    assert (empty.samples.height, empty.errors.height, empty.embeddings.shape) == (0, 0, (0, 1280))
    assert last.samples["sample_id"].to_list() == [2 << 32, (2 << 32) + 1]


def test_equal_pictures_are_embedded_once_in_the_run(tmp_path, dataset, embedder):
    assert scan(tmp_path / "run", dataset, embedder) == [2, 0, 1]
    ids, embeddings = stored_embeddings(tmp_path / "run")
    samples = SAMPLES.read(tmp_path / "run")
    assert ids.tolist() == samples["sample_id"].to_list() == [0, 1, 2, 3, 2 << 32, (2 << 32) + 1]
    assert (embeddings.shape, embeddings.dtype, ids.dtype) == ((6, 1280), np.float16, np.int64)
    assert np.array_equal(embeddings[0], embeddings[5])


def test_a_resumed_run_has_the_same_tables_in_any_order_of_shards(tmp_path, dataset, embedder):
    scan(tmp_path / "a", dataset, embedder)
    assert scan(tmp_path / "b", dataset, embedder, slice(2, 3)) == [2]
    assert scan(tmp_path / "b", dataset, embedder, slice(0, 2)) == [1, 0]
    assert SAMPLES.read(tmp_path / "a").equals(SAMPLES.read(tmp_path / "b"))
    for left, right in zip(stored_embeddings(tmp_path / "a"), stored_embeddings(tmp_path / "b"), strict=True):
        assert np.array_equal(left, right)


def test_one_shard_is_memory_mapped_and_none_is_empty(tmp_path, dataset, embedder):
    ids, embeddings = stored_embeddings(tmp_path / "run")
    assert (len(ids), embeddings.shape) == (0, (0, 0))
    scan(tmp_path / "run", dataset, embedder, slice(0, 1))
    assert isinstance(stored_embeddings(tmp_path / "run")[1], np.memmap)


def test_many_shards_are_put_together_in_a_file_that_goes_with_the_process(tmp_path, dataset, embedder, monkeypatch):
    run = tmp_path / "run"
    scan(run, dataset, embedder)
    held = stored_embeddings(run)[1]
    before = sorted(run.rglob("*"))
    monkeypatch.setattr("scanner.embeddings._IN_MEMORY", 0)
    mapped = stored_embeddings(run)[1]
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, held)
    assert sorted(run.rglob("*")) == before


def test_the_index_of_seen_pictures(tmp_path):
    run = tmp_path / "run"
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(32).hex() for _ in range(50)]
    # the same first 64 bits, told apart by the next
    hashes += [f"{7:016x}{number:016x}{0:032x}" for number in range(5)]
    vectors = rng.standard_normal((len(hashes), 8)).astype(np.float16)
    seen = SeenPictures(run)
    assert seen.get(hashes[0]) is None
    for part, rows in (("00001", slice(0, 30)), ("100000", slice(30, None))):
        overwrite_embeddings(run, part, vectors[rows])
        frame = pl.DataFrame({"pixel_sha256": hashes[rows]}).with_row_index("sample_id")
        blank = {name: pl.lit(None) for name in SAMPLES.columns if name not in frame.columns}
        SAMPLES.write(run, frame.with_columns(**blank), part)
    seen.refresh()
    assert len(seen) == len(hashes)
    for sha256, vector in zip(hashes, vectors, strict=True):
        found = seen.get(sha256)
        assert found is not None
        assert np.array_equal(found, vector)
    assert seen.get(f"{7:016x}{9:016x}{0:032x}") is None


def test_files_that_do_not_belong_together_are_an_error(tmp_path, dataset, embedder):
    run = tmp_path / "run"
    scan(run, dataset, embedder, slice(0, 1))
    overwrite_embeddings(run, "00000", np.zeros((3, 1280), np.float16))
    with pytest.raises(ScannerError, match="4 samples but 3 embeddings"):
        stored_embeddings(run)
    (run / "embeddings" / "00000.npy").unlink()
    with pytest.raises(ScannerError, match="can't be read"):
        SeenPictures(run)


def test_a_fault_of_the_stage_is_raised(tmp_path, dataset, embedder):
    (dataset.root / "00000.tar").unlink()
    with pytest.raises(FileNotFoundError):
        list(Fingerprinter(embedder, SeenPictures(tmp_path / "run"))(dataset, dataset.shards[0]))


def test_a_shard_comes_in_blocks_and_ends_as_one_file(tmp_path, dataset, embedder, monkeypatch):
    tallies = []
    scan(tmp_path / "whole", dataset, embedder)
    monkeypatch.setattr("scanner.fingerprints._stage.BLOCK_ROWS", 2)
    monkeypatch.setattr("scanner.fingerprints._stage._CHUNK_ROWS", 3)
    stage = Fingerprinter(embedder, SeenPictures(tmp_path / "run"), progress=tallies.append)
    blocks = [list(stage(dataset, shard)) for shard in dataset.shards]
    assert [len(block.samples) + len(block.errors) for block in blocks[0]] == [2, 2, 2, 2, 2, 1]
    for shard, rows in zip(dataset.shards, blocks, strict=True):
        write_shard(tmp_path / "run", shard, rows)
    for table in (SAMPLES, ERROR_PARTS, tables.SHARDS):
        assert table.read(tmp_path / "run").equals(table.read(tmp_path / "whole"))
    for path in sorted((tmp_path / "whole" / "embeddings").iterdir()):
        assert (tmp_path / "run" / "embeddings" / path.name).read_bytes() == path.read_bytes()
    counts = tables.SHARDS.read(tmp_path / "run")
    assert counts.select("rows_in", "read", "failed").rows() == [
        (11, 4, 7),
        (0, 0, 0),
        (3, 2, 1),
    ]
    assert (sum(tally.rows for tally in tallies), sum(tally.errors for tally in tallies)) == (14, 8)
    assert [tally.part for tally in tallies[:4]] == sorted(tally.part for tally in tallies[:4])


def test_a_shard_that_fails_halfway_leaves_no_file(tmp_path, dataset, embedder):
    def broken():
        yield from Fingerprinter(embedder, SeenPictures(tmp_path))(dataset, dataset.shards[0])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_shard(tmp_path / "run", dataset.shards[0], broken())
    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == []


def test_a_row_with_its_own_embedding_needs_no_model_and_one_without_image_is_not_decoded(tmp_path, dataset):
    vector = np.array([0.6, 0.8], np.float16)
    given = Sample(
        shard="00000", key="a", caption="a cat", url=None, encoded=None, file=None, offset=0, embedding=vector
    )

    class Given:
        def read(self, _):
            return iter([given])

    (rows,) = Fingerprinter(None, SeenPictures(tmp_path), width=2)(Given(), dataset.shards[0])
    assert rows.embeddings.tolist() == [vector.tolist()]
    assert rows.samples.drop_nulls("pixel_sha256").is_empty()
    write_shard(tmp_path, dataset.shards[0], [rows])
    assert len(SeenPictures(tmp_path)) == 0


def test_rows_in_is_what_the_reader_gave_not_what_was_stored(tmp_path, dataset, embedder):
    (rows,) = Fingerprinter(embedder, SeenPictures(tmp_path / "run"))(dataset, dataset.shards[0])
    assert rows.rows_in == 11
    write_shard(tmp_path / "run", dataset.shards[0], [replace(rows, errors=rows.errors.head(3))])
    (count,) = tables.SHARDS.read(tmp_path / "run").select("rows_in", "read", "failed").rows()
    assert count == (11, 4, 3)


def test_what_rows_and_files_say_is_written_beside_the_samples(tmp_path, embedder):
    folder = tmp_path / "said"
    folder.mkdir()
    block = Image.Exif()
    block[33432] = "2020 A. Painter"
    with tarfile.open(folder / "00000.tar", "w") as tar:
        add(tar, "a.jpg", encode(photo_like(1), "JPEG", exif=block))
        add(tar, "a.json", b'{"LICENSE": "CC0", "punsafe": 0.5, "caption": "a"}')
        add(tar, "b.jpg", b"no image")
        add(tar, "b.json", b'{"LICENSE": "of a row that can not be read"}')
        add(tar, "c.jpg", encode(photo_like(2), "JPEG"))
    scan(tmp_path / "run", open_dataset(folder), embedder)
    assert SIGNALS.read(tmp_path / "run").rows() == [
        (0, "copyright", "EXIF Copyright", "2020 A. Painter", None, None),
        (0, "licence", "column LICENSE", "CC0", None, None),
        (0, "nsfw", "column punsafe", "0.5", None, None),
    ]


def test_a_shard_that_says_nothing_has_an_empty_file(tmp_path, dataset, embedder):
    scan(tmp_path / "run", dataset, embedder)
    assert [path.stem for path in SIGNALS.parts(tmp_path / "run")] == ["00000", "00001", "00002"]
    assert SIGNALS.read(tmp_path / "run").is_empty()
