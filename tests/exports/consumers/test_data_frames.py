"""`datasets` and polars read the plain formats and the research code's: the same table, caption by caption."""

import io
from pathlib import Path

import datasets
import polars as pl
import pytest

from tests.exports.prompts.planted import HOSTILE, left, prompts_of, written

pytestmark = pytest.mark.consumers
ALL = prompts_of(HOSTILE)


@pytest.mark.parametrize(("name", "suffix"), [("jsonl", ".jsonl"), ("wen", ".jsonl"), ("inspect", ".jsonl")])
def test_datasets_loads_json_lines(name: str, suffix: str, tmp_path: Path) -> None:
    frame = ALL.filter(pl.col("caption") != "")
    column = "input" if name == "inspect" else "caption"
    assert _load("json", written(name, suffix, frame), tmp_path)[column] == frame["caption"].to_list()


@pytest.mark.parametrize("name", ["parquet", "wen"])
def test_datasets_loads_parquet(name: str, tmp_path: Path) -> None:
    found = _load("parquet", written(name, ".parquet", ALL), tmp_path)
    assert found["caption"] == list(HOSTILE)
    assert found["group_id"] == ALL["group_id"].to_list()


def test_datasets_loads_csv_when_told_that_words_like_null_are_words(tmp_path: Path) -> None:
    found = _load(
        "csv", written("csv", ".csv", ALL, skip=True), tmp_path, keep_default_na=False, usecols=["caption", "escaped"]
    )
    restored = [
        caption[1:] if "caption" in escaped.split() else caption
        for caption, escaped in zip(found["caption"], found["escaped"], strict=True)
    ]
    assert restored == left("csv", ".csv", ALL)


def test_polars_reads_csv_and_json_lines() -> None:
    frame = pl.read_csv(io.BytesIO(written("csv", ".csv", ALL, skip=True)), infer_schema=False)
    named = pl.col("escaped").str.split(" ").list.contains("caption")
    restored = pl.when(named).then(pl.col("caption").str.slice(1)).otherwise(pl.col("caption"))
    assert frame.select(restored)["caption"].to_list() == left("csv", ".csv", ALL)
    lines = pl.read_ndjson(io.BytesIO(written("jsonl", ".jsonl", ALL)), schema_overrides={"agreement": pl.Float64})
    assert lines["caption"].to_list() == list(HOSTILE)


def _load(kind: str, content: bytes, folder: Path, **options: object) -> dict[str, list]:
    path = folder / f"prompts.{kind}"
    path.write_bytes(content)
    rows = datasets.load_dataset(kind, data_files=str(path), cache_dir=str(folder / "cache"), split="train", **options)
    return rows.to_dict()
