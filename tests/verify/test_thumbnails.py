"""Thumbnails in their files: read as if they were one array; what an earlier version wrote is made anew."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.verify import Blocks, Thumbnails, has_blocks, has_earlier_blocks, stored_blocks, write_blocks

SIZE = 32


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(sum), st.data())
def test_parts_read_as_one_array(counts, data):
    whole = np.random.default_rng(0).integers(0, 256, (sum(counts), 12)).astype(np.uint8)
    thumbnails = Thumbnails(np.split(whole, np.cumsum(counts)[:-1]))
    wanted = data.draw(st.lists(st.integers(0, len(whole) - 1)))
    first = data.draw(st.integers(0, len(whole) - 1))
    last = data.draw(st.integers(first + 1, len(whole)))
    assert len(thumbnails) == len(whole)
    assert (thumbnails.rows(wanted) == whole[wanted]).all()
    assert (thumbnails.between(first, last) == whole[first:last]).all()


def arrays(seed: int, first: int) -> dict[str, np.ndarray]:
    images = np.random.default_rng(seed).random((3, SIZE, SIZE, 3), np.float32)
    blocks = Blocks.of(images, np.arange(first, first + 3))
    numbers = {name: getattr(blocks, name) for name in ("sample_id", "mean", "deviation", "rest", "rounding")}
    return numbers | {"thumbnails": blocks.thumbnails.rows([0, 1, 2])}


def test_what_is_written_is_read_again(tmp_path: Path):
    written = [arrays(0, 0), arrays(1, 10)]
    for number, part in enumerate(written):
        write_blocks(tmp_path, f"0000{number}", part)
    blocks = stored_blocks(tmp_path)
    assert blocks.sample_id.tolist() == [0, 1, 2, 10, 11, 12]
    assert (blocks.thumbnails.rows(range(6)) == np.concatenate([part["thumbnails"] for part in written])).all()


def test_an_index_of_an_earlier_version_is_made_anew(tmp_path: Path):
    folder = tmp_path / "originals"
    folder.mkdir()
    old = {"sample_id": np.arange(3), "blocks": np.zeros((3, 768), np.float32)}
    old |= {name: np.zeros(3, np.float32) for name in ("mean", "deviation")}
    np.savez(folder / "00000.npz", **old)
    assert not has_blocks(tmp_path, "00000")
    assert has_earlier_blocks(tmp_path)
    new = arrays(0, 0)
    np.save(folder / "00000.npy", new["thumbnails"])  # stopped before the numbers were written
    assert not has_blocks(tmp_path, "00000")
    write_blocks(tmp_path, "00000", new)
    assert has_blocks(tmp_path, "00000")
    assert not has_earlier_blocks(tmp_path)
    assert (stored_blocks(tmp_path).rest == new["rest"]).all()
