"""Canaries are written in the data set's own layout: the scanner and the usual tools read them beside it."""

import hashlib
from pathlib import Path

import polars as pl
import pytest
from datasets import concatenate_datasets, load_dataset, load_from_disk
from webdataset.tariterators import group_by_keys, tar_file_iterator

from scanner.canaries import (
    TRUTH,
    Planting,
    Style,
    copies_of,
    draw_canaries,
    plant,
    refuse_unplantable,
    survey,
)
from scanner.errors import UnusableInputError
from scanner.samples import Columns, Failure, Options, Sample, decode, open_dataset
from tests.canaries.sets import CAPTIONS, HEIGHT, IMAGES, SETS, WIDTH
from tests.samples.embedded import names, unit, write_clip_retrieval

PLAN = (3, 1, 2)


def planted(data: Path, out: Path, planting: Planting | None = None) -> pl.DataFrame:
    dataset = open_dataset(data)
    refuse_unplantable(dataset, out)
    return plant(survey(dataset), dataset, out, planting or Planting(plan=PLAN), Columns())


def read(path: Path | str) -> list[Sample | Failure]:
    dataset = open_dataset(path)
    return [item for shard in dataset.shards for item in dataset.read(shard)]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", SETS)
def test_what_is_written_is_what_the_truth_says(name, tmp_path):
    (tmp_path / "data").mkdir()
    data = SETS[name](tmp_path / "data")
    before = content(data)
    truth = planted(data, tmp_path / "out")
    assert content(data) == before
    assert truth.schema == pl.Schema(TRUTH)
    assert pl.read_parquet(tmp_path / "out" / "truth.parquet").equals(truth)
    for folder, planted_here in (("canaries", True), ("twins", False)):
        rows = truth.filter(pl.col("planted") == planted_here)
        samples = read(tmp_path / "out" / folder)
        assert all(isinstance(sample, Sample) for sample in samples), samples
        found = {(s.shard.rpartition("/")[2].removesuffix(".") or folder, s.key): s for s in samples}
        assert set(found) == set(rows.select("shard", "key").iter_rows()), name
        for row in rows.iter_rows(named=True):
            sample = found[row["shard"], row["key"]]
            assert sample.caption == row["caption"]
            assert hashlib.sha256(sample.encoded).hexdigest() == row["sha256"]
            assert (tmp_path / "out" / row["file"]).is_file()
            assert decode(sample.encoded).shape == (HEIGHT, WIDTH, 3)


def test_copies_and_twins_are_as_planned(tmp_path):
    (tmp_path / "data").mkdir()
    truth = planted(SETS["texts"](tmp_path / "data"), tmp_path / "out")
    pictures = truth.group_by("picture", "planted", "copies", "twin_of").agg(
        rows=pl.len(), files=pl.col("sha256").n_unique(), captions=pl.col("caption").n_unique()
    )
    assert pictures.sort("picture").rows() == [
        *((f"canary-{i:04d}", True, copies, None, copies, 1, 1) for i, copies in enumerate(PLAN)),
        *((f"twin-{i:04d}", False, 0, f"canary-{i:04d}", copies, 1, 1) for i, copies in enumerate(PLAN)),
    ]
    assert truth["sha256"].n_unique() == truth["caption"].n_unique() == 2 * len(PLAN)


def test_the_same_seed_plants_the_same_and_another_one_others(tmp_path):
    (tmp_path / "data").mkdir()
    data = SETS["texts"](tmp_path / "data")
    one, two = (planted(data, tmp_path / name) for name in ("one", "two"))
    assert content(tmp_path / "one") == content(tmp_path / "two")
    other = planted(data, tmp_path / "other", Planting(plan=PLAN, seed=1))
    for column in ("key", "caption", "sha256"):
        assert one[column].equals(two[column])
        assert not set(one[column]) & set(other[column])


def test_light_edits_leave_the_first_copy_and_change_all_others(tmp_path):
    (tmp_path / "data").mkdir()
    truth = planted(SETS["texts"](tmp_path / "data"), tmp_path / "out", Planting(plan=(5,), edits="light"))
    canary = truth.filter("planted").sort("key")
    assert canary["sha256"].n_unique() == 5
    shapes = {decode((tmp_path / "out" / file).read_bytes()).shape for file in canary["file"]}
    assert shapes == {(HEIGHT, WIDTH, 3)}  # too small to be made smaller
    style = Style(width=200, height=100, format="PNG")
    (canary, _) = draw_canaries((6,), seed=0, known=())
    sizes = [(copy.width, copy.height) for copy in copies_of(canary, style, 0, "light")]
    assert sizes[0] == (200, 100)
    assert all(150 <= width <= 200 and abs(width - 2 * height) <= 2 for width, height in sizes[1:])
    assert len(set(sizes)) > 3


def test_other_columns_are_those_of_the_data_set(tmp_path):
    (tmp_path / "data").mkdir()
    planted(SETS["img2dataset"](tmp_path / "data"), tmp_path / "out")
    ours, theirs = (
        pl.read_parquet(tmp_path / name) for name in ("out/canaries/canaries-00000.parquet", "data/00000.parquet")
    )
    assert ours.schema == theirs.schema
    assert ours["punsafe"].to_list() == [0.01] * sum(PLAN)
    assert ours["url"].null_count() == ours.height
    assert ours.select("width", "height").unique().rows() == [(WIDTH, HEIGHT)]
    sample = next(item for item in read(tmp_path / "out" / "canaries") if isinstance(item, Sample))
    assert sample.extra["sha256"] == hashlib.sha256(sample.encoded).hexdigest()


@pytest.mark.parametrize(("name", "column"), [("img2dataset", "sha256"), ("csv", "score"), ("parquet", "uid")])
def test_keys_are_those_of_a_named_column(name, column, tmp_path):
    (tmp_path / "data").mkdir()
    columns = Columns(key=column)
    dataset = open_dataset(SETS[name](tmp_path / "data"), Options(columns=columns))
    truth = plant(survey(dataset), dataset, tmp_path / "out", Planting(plan=PLAN), columns)
    again = open_dataset(tmp_path / "out" / "canaries", Options(columns=columns))
    keys = [item.key for shard in again.shards for item in again.read(shard)]
    assert sorted(keys) == sorted(truth.filter("planted")["key"])
    assert len(set(keys)) == sum(PLAN)


def test_webdataset_reads_canaries_beside_the_data_set(tmp_path):
    (tmp_path / "data").mkdir()
    truth = planted(SETS["img2dataset"](tmp_path / "data"), tmp_path / "out")
    texts = []
    for shard in ("data/00000.tar", "out/canaries/canaries-00000.tar"):
        with (tmp_path / shard).open("rb") as file:
            members = [member | {"__url__": shard} for member in tar_file_iterator(file)]
        rows = list(group_by_keys(members))
        assert all({"jpg", "txt", "json"} < set(row) for row in rows)
        texts += [row["txt"].decode() for row in rows]
    assert sorted(texts) == sorted([*CAPTIONS, *truth.filter("planted")["caption"]])


def test_hugging_face_reads_canaries_beside_the_data_set(tmp_path):
    for name in ("parquet", "saved", "jsonl"):
        (tmp_path / name / "data").mkdir(parents=True)
        planted(SETS[name](tmp_path / name / "data"), tmp_path / name / "out")
    files = [str(tmp_path / "parquet" / part) for part in ("data/*.parquet", "out/canaries/*.parquet")]
    folders = [tmp_path / "saved" / part for part in ("data", "out/canaries")]
    both = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    joined = concatenate_datasets([load_from_disk(str(folder)) for folder in folders])
    listed = load_dataset("imagefolder", data_dir=str(tmp_path / "jsonl" / "out" / "canaries"), split="train",
                          cache_dir=str(tmp_path / "cache"))  # fmt: skip
    assert len(both) == len(joined) == len(IMAGES) + sum(PLAN)
    assert both[-1]["image"].size == joined[-1]["image"].size == listed[0]["image"].size == (WIDTH, HEIGHT)
    assert len(set(both["text"])) == len(CAPTIONS) + len(PLAN)
    assert listed.column_names == ["image", "text", "score"]


def test_names_in_captions_are_in_no_caption_of_the_data_set(tmp_path):
    (tmp_path / "data").mkdir()
    data = SETS["texts"](tmp_path / "data")
    first = planted(data, tmp_path / "out")
    for number, caption in enumerate(first["caption"].unique(maintain_order=True)):
        (data / f"more-{number}.jpg").write_bytes(IMAGES[0])
        (data / f"more-{number}.txt").write_text(caption)
    again = planted(data, tmp_path / "again")
    assert not set(first["caption"]) & set(again["caption"])


def test_a_data_set_without_images_is_refused(tmp_path):
    write_clip_retrieval(tmp_path / "data", [(unit(4), names(4))], 1)
    with pytest.raises(UnusableInputError, match="layout clip-retrieval holds no images"):
        refuse_unplantable(open_dataset(tmp_path / "data"), tmp_path / "out")


def test_captions_are_needed(tmp_path):
    (tmp_path / "0.jpg").write_bytes(IMAGES[0])
    with pytest.raises(UnusableInputError, match="no readable image with a caption"):
        survey(open_dataset(tmp_path))


def test_nothing_is_written_into_the_data_set_or_over_other_files(tmp_path):
    (tmp_path / "data").mkdir()
    data = SETS["texts"](tmp_path / "data")
    with pytest.raises(UnusableInputError, match="lies inside the data set"):
        refuse_unplantable(open_dataset(data), data / "planted")
    with pytest.raises(UnusableInputError, match="holds something already"):
        refuse_unplantable(open_dataset(data), data)
