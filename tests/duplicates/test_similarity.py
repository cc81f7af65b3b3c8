"""Without pictures the cosine decides: the same groups as a slow obvious version, and no two rows taken for one."""

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates import DuplicatesConfig, DuplicateSearch, collapse
from scanner.duplicates._judge import BySimilarity
from scanner.errors import UnusableInputError
from scanner.tables import PAIRS
from tests.duplicates.planted import draw, samples
from tests.samples.embedded import turned, unit


def blind(count: int) -> pl.DataFrame:
    """Rows of a data set of embeddings, as the search reads them; sample ids 10, 20, 30, ..."""
    return pl.DataFrame(
        {
            "sample_id": pl.Series(range(10, 10 * count + 10, 10), dtype=pl.Int64),
            "pixel_sha256": pl.Series([None] * count, dtype=pl.String),
            "phash": pl.Series([None] * count, dtype=pl.UInt64),
            "thumbnail": pl.Series([None] * count, dtype=pl.Binary),
            "caption": pl.Series([f"caption {i % 3}" for i in range(count)], dtype=pl.String),
        }
    )


def search(vectors: np.ndarray, **config):
    opened = DuplicateSearch(blind(len(vectors)), vectors, DuplicatesConfig(**config))
    pairs = pl.concat([PAIRS.empty(), *(opened.search(part) for part in opened.parts)])
    return pairs, opened.groups(), opened.summary()


def members(found) -> list[list[int]]:
    rows = found.members.group_by("group_id", maintain_order=True).agg("sample_id")["sample_id"]
    return sorted([row // 10 - 1 for row in part] for part in rows)


def test_planted_groups_are_found_and_what_decided_is_said():
    vectors = unit(30)
    vectors[7] = vectors[3]
    vectors[20] = vectors[3]
    vectors[11] = turned(vectors[4], 0.97)
    vectors[12] = turned(vectors[5], 0.93)
    pairs, found, summary = search(vectors)
    assert members(found) == [[3, 7, 20], [4, 11]]
    assert pairs.select("left", "right", "look", "accepted").rows() == [(50, 120, "similarity", True)]
    assert pairs.select("hash_distance", "look_distance", "worst_block").row(0) == (None, None, None)
    assert pairs["similarity"][0] == pytest.approx(0.97, abs=2e-3)
    assert found.groups.select("copies", "distinct_images").rows() == [(3, 1), (2, 2)]
    assert (summary.look, summary.cosine, summary.rows, summary.distinct) == ("similarity", 0.95, 30, 28)
    assert "it decides, since there are no pictures" in summary.threshold
    assert search(vectors, threshold=0.9)[1].groups["copies"].to_list() == [3, 2, 2]
    assert search(vectors, threshold=1.0)[1].groups["copies"].to_list() == [3]


def test_many_rows_are_not_whitened():
    _, found, summary = search(unit(700, 64))
    assert "not whitened" in summary.embedding
    assert found.groups.is_empty()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("block_rows", [5, 1024])
def test_the_groups_are_the_components_of_all_pairs_where_none_is_chained(seed, block_rows):
    rng = np.random.default_rng(seed)
    centres = unit(12, 48, seed)
    kinds = rng.integers(0, 12, 60)
    vectors = np.stack([turned(centres[kind], rng.uniform(0.99, 1), i) for i, kind in enumerate(kinds)])
    wide = vectors.astype(np.float32)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    graph = nx.Graph(np.argwhere(np.triu(wide @ wide.T >= 0.95, 1)).tolist())
    _, found, _ = search(vectors, block_rows=block_rows)
    assert members(found) == sorted(sorted(part) for part in nx.connected_components(graph))


def test_a_chain_of_vectors_is_split_so_that_each_member_is_near_its_centre():
    angles = np.linspace(0, 1.5, 12)  # each 0.136 rad from the next: cosine 0.9907
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)
    _, found, _ = search(vectors)
    assert len(found.groups) > 1
    assert (found.groups["split_from"] == 10).all()
    wide = vectors.astype(np.float64)
    for part in members(found):
        assert (wide[part] @ wide[part].T).max(axis=0).min() > 0
        assert (wide[part] @ wide[part].T).min(axis=1).max() >= 0.95 - 1e-3
    assert sum(map(len, members(found))) <= len(vectors)


def test_a_copy_that_is_near_the_original_alone_stays_in_the_group():
    original = unit(1, 64)[0]
    edits = [turned(original, 0.96, seed) for seed in range(6)]
    vectors = np.stack([*edits[:3], original, *edits[3:], unit(1, 64, seed=9)[0]])
    _, found, _ = search(vectors)
    assert members(found) == [[0, 1, 2, 3, 4, 5, 6]]


def test_a_big_cluster_is_found_whole():
    centre = unit(1, 64)[0]
    vectors = np.stack([turned(centre, 0.99, seed) for seed in range(1500)])
    pairs, found, _ = search(vectors, block_rows=256)
    assert found.groups["copies"].to_list() == [1500]
    assert len(pairs) < 30_000


def test_restored_parts_give_the_same_tables():
    vectors = np.concatenate([unit(40), unit(40)[::2]])
    vectors[45] = turned(vectors[45], 0.98)
    whole = DuplicateSearch(blind(60), vectors, DuplicatesConfig(block_rows=16))
    parts = {part: whole.search(part) for part in whole.parts}
    resumed = DuplicateSearch(blind(60), vectors, DuplicatesConfig(block_rows=16))
    for part in whole.parts:
        resumed.restore(part, parts[part])
    assert resumed.groups().members.equals(whole.groups().members)
    assert resumed.summary() == whole.summary()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 2)), max_size=30))
def test_rows_without_pixels_collapse_on_equal_embeddings_and_never_on_others(rows):
    frame = pl.DataFrame(
        {"sample_id": range(len(rows)), "pixel_sha256": [pixels for pixels, _ in rows]},
        schema={"sample_id": pl.Int64, "pixel_sha256": pl.String},
    )
    vectors = unit(3)[[number for _, number in rows]] if rows else np.empty((0, 32), np.float16)
    names = [pixels or f"embedding {number}" for pixels, number in rows]
    found = collapse(frame, vectors)
    assert found.first.tolist() == [row for row, name in enumerate(names) if name not in names[:row]]
    assert [names[found.first[picture]] for picture in found.inverse] == names
    alone = [pixels or f"row {row}" for row, (pixels, _) in enumerate(rows)]
    assert collapse(frame).first.tolist() == [row for row, name in enumerate(alone) if name not in alone[:row]]


def test_a_set_of_which_only_some_rows_have_pictures_is_refused():
    rows = samples([draw(1), draw(2)])
    for name in ("pixel_sha256", "thumbnail", "phash"):
        rows = rows.with_columns(pl.when(pl.col("sample_id") == 10).then(pl.col(name)))
    with pytest.raises(UnusableInputError, match="no 32 × 32 thumbnail"):
        DuplicateSearch(rows, unit(2), DuplicatesConfig())


def test_a_member_is_always_like_itself():
    vectors = unit(3).astype(np.float32) * np.float32(0.9)  # not of unit length: its cosine to itself comes out as 0.81
    judge = BySimilarity(vectors, 0.95)
    assert judge.alike(np.arange(3), 1).tolist() == [False, True, False]
