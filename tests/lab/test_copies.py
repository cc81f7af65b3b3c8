"""A plan of copies is kept to the row, drawn from unlike pictures, and written as a data set that the scanner reads."""

import hashlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from scanner.errors import UnusableInputError
from scanner.lab import planned_rows, write_planned
from scanner.samples import Sample, decode, open_dataset


def encoded(picture: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, kind)
    return stored.getvalue()


def sample(number: int, data: bytes | None, caption: str | None) -> Sample:
    return Sample(
        shard="s",
        key=str(number),
        caption=caption,
        url=f"https://a.invalid/{number}",
        encoded=data,
        file=None,
        offset=0,
    )


NOISE = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
UNLIKE = [sample(i, encoded(picture), f"pattern {i}") for i, picture in enumerate(NOISE)]


@given(
    plan=st.dictionaries(st.integers(1, 9), st.integers(1, 3), min_size=1, max_size=3).filter(
        lambda plan: sum(plan.values()) <= len(UNLIKE)
    ),
    seed=st.integers(0, 5),
)
def test_every_picture_has_as_many_rows_as_planned(plan: dict[int, int], seed: int) -> None:
    rows = planned_rows(UNLIKE, plan, seed).rows
    assert Counter(Counter(row.caption for row in rows).values()) == plan
    assert [row.key for row in rows] == [f"{number:09d}" for number in range(len(rows))]
    of = {each.caption: each.encoded for each in UNLIKE}
    assert all(row.encoded == of[row.caption] for row in rows)


def test_the_seed_draws_pictures_and_order() -> None:
    def captions(seed: int) -> list[str | None]:
        return [row.caption for row in planned_rows(UNLIKE, {1: 3, 5: 2}, seed).rows]

    assert captions(0) == captions(0)
    assert set(captions(0)) != set(captions(1))
    assert len(set(captions(0)[:5])) > 1


def test_look_alikes_shared_captions_and_what_cannot_be_read_are_not_drawn() -> None:
    large = np.asarray(Image.fromarray(NOISE[0]).resize((48, 48), Image.Resampling.BICUBIC))
    rows = [
        sample(0, encoded(NOISE[0]), "first"),
        sample(1, encoded(large, "JPEG"), "first, larger"),
        sample(2, encoded(NOISE[2]), "second"),
        sample(3, encoded(NOISE[3]), "Second "),
        sample(4, b"broken", "broken"),
        sample(5, None, "an embedding"),
        sample(6, encoded(NOISE[6]), None),
    ]
    drawn = [{row.key: row.caption for row in planned_rows(rows, {1: 2}, seed).rows} for seed in range(9)]
    pictures = {
        tuple(sorted(str(caption).lower().split(",")[0].strip() for caption in each.values())) for each in drawn
    }
    assert pictures == {("first", "second")}
    assert len(planned_rows(rows, {1: 3}, 0, captioned=False).rows) == 3
    with pytest.raises(UnusableInputError, match="needs 3 different pictures with captions, and the data set has 2;"):
        planned_rows(rows, {1: 3}, 0)
    with pytest.raises(UnusableInputError, match="needs 4 different pictures, and the data set has 3;"):
        planned_rows(rows, {2: 4}, 0, captioned=False)


def test_the_planned_set_is_read_as_it_was_planned(tmp_path: Path) -> None:
    kinds = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PNG"]
    rows = [sample(i, encoded(NOISE[i], kind), f"pattern {i}" if i else None) for i, kind in enumerate(kinds)]
    planned = planned_rows(rows, {1: 6, 500: 1, 501: 1}, 0, captioned=False).rows
    write_planned(planned, tmp_path)
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "webdataset"
    read = [item for shard in dataset.shards for item in dataset.read(shard)]
    assert len(read) == 1007
    for got, row in zip(read, planned, strict=True):
        assert isinstance(got, Sample)
        assert (got.shard, got.key, got.caption, got.url, got.encoded) == (
            row.shard, row.key, row.caption, row.url, row.encoded,
        )  # fmt: skip
    assert {decode(got.encoded).shape for got in read} == {(16, 16, 3)}
    table = pl.read_parquet(tmp_path / "00001.parquet")
    assert table["key"].to_list() == [f"00001{number:04d}" for number in range(7)]
    assert table["sha256"].to_list() == [hashlib.sha256(row.encoded).hexdigest() for row in planned[1000:]]


def test_a_planned_set_goes_on_and_nothing_else_is_overwritten(tmp_path: Path) -> None:
    rows = planned_rows(UNLIKE, {1: 3}, 0).rows
    write_planned(rows, tmp_path / "set")
    before = {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()}
    (tmp_path / "set" / "00000_stats.json").unlink()
    write_planned(rows, tmp_path / "set")
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == before
    with pytest.raises(UnusableInputError, match=r"holds 00000\.parquet, which is not of this plan"):
        write_planned(planned_rows(UNLIKE, {2: 3}, 0).rows, tmp_path / "set")
    (tmp_path / "set" / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(UnusableInputError, match=r"holds photo\.jpg, which is not of this plan"):
        write_planned(rows, tmp_path / "set")
    with pytest.raises(UnusableInputError, match="is a file; name a folder"):
        write_planned(rows, tmp_path / "set" / "photo.jpg")
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == before | {"photo.jpg": b"mine"}
