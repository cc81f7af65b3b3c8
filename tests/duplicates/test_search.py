from collections.abc import Callable

import networkx as nx
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.duplicates import DuplicatesConfig, DuplicateSearch, Groups, _search, _settle, look
from scanner.errors import UnusableInputError
from scanner.tables import GROUPS, MEMBERS, PAIRS
from tests.duplicates.planted import Picture, draw, embeddings, light_edits, planes, samples


def _run(rows: pl.DataFrame, vectors: np.ndarray, config: DuplicatesConfig) -> tuple[pl.DataFrame, Groups]:
    search = DuplicateSearch(rows, vectors, config)
    pairs = [PAIRS.empty(), *(search.search(part) for part in search.parts)]
    return pl.concat(pairs), search.groups()


def _planted() -> tuple[list[Picture], list[int]]:
    """Fifteen pictures with all light edits and an exact copy each, and thirty that occur once; mixed up."""
    pictures, kinds = [], []
    for number in range(45):
        picture = draw(number)
        copies = [picture, picture, *light_edits(picture).values()] if number < 15 else [picture]
        pictures += copies
        kinds += [number] * len(copies)
    order = np.random.default_rng(3).permutation(len(pictures))
    return [pictures[row] for row in order], [kinds[row] for row in order]


@pytest.fixture(scope="module")
def planted() -> tuple[pl.DataFrame, np.ndarray, list[int]]:
    pictures, kinds = _planted()
    return samples(pictures, [f"picture {kind}" for kind in kinds]), embeddings(kinds, spread=0.5), kinds


def _grouped(found: Groups, kinds: list[int]) -> list[set[int]]:
    """The kinds of picture in each group."""
    kind_of = dict(zip(range(10, 10 * len(kinds) + 10, 10), kinds, strict=True))
    return [{kind_of[row] for row in rows} for rows in found.members.group_by("group_id").agg("sample_id")["sample_id"]]


def test_planted_groups_are_found_whole(planted: tuple[pl.DataFrame, np.ndarray, list[int]]) -> None:
    rows, vectors, kinds = planted
    pairs, found = _run(rows, vectors, DuplicatesConfig())
    assert sorted(_grouped(found, kinds), key=min) == [{kind} for kind in range(15)]
    assert len(found.members) >= 0.98 * 15 * 9
    assert (found.groups["distinct_captions"] == 1).all()
    assert found.groups.columns == list(GROUPS.columns)
    assert set(found.groups["group_id"]) == set(
        found.members.group_by("group_id").agg(pl.col("sample_id").min())["sample_id"]
    )
    assert (pairs["left"] < pairs["right"]).all()
    assert (pairs["look"] == "thumbnail").all()
    assert not pairs.select("left", "right").is_duplicated().any()


@pytest.mark.parametrize("block_rows", [1, 7, 50])
def test_groups_do_not_depend_on_the_blocks(
    planted: tuple[pl.DataFrame, np.ndarray, list[int]], block_rows: int
) -> None:
    rows, vectors, _ = planted
    one, other = (_run(rows, vectors, DuplicatesConfig(block_rows=size))[1] for size in (1024, block_rows))
    assert_frame_equal(one.members, other.members, abs_tol=1e-5)
    assert_frame_equal(one.groups, other.groups, abs_tol=1e-5)


@pytest.mark.parametrize("held", [1, 30])
def test_groups_do_not_depend_on_what_is_held_at_once(
    planted: tuple[pl.DataFrame, np.ndarray, list[int]], held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, vectors, _ = planted
    expected = _run(rows, vectors, DuplicatesConfig())[1]
    monkeypatch.setattr(_search, "_HELD", held)
    assert_frame_equal(_run(rows, vectors, DuplicatesConfig())[1].members, expected.members, abs_tol=1e-5)


@pytest.mark.parametrize("finished", [0, 1, 4, 7, 12])
def test_restored_parts_give_the_same_tables(
    planted: tuple[pl.DataFrame, np.ndarray, list[int]], finished: int
) -> None:
    rows, vectors, _ = planted
    config = DuplicatesConfig(block_rows=24, looks_per_row=3)
    whole = DuplicateSearch(rows, vectors, config)
    parts = {part: whole.search(part) for part in whole.parts}
    assert sum(part.startswith("cosine-0") for part in parts) == 7
    resumed = DuplicateSearch(rows, vectors, config)
    for part in whole.parts[:finished]:
        resumed.restore(part, parts[part].sample(fraction=1, shuffle=True, seed=1))
    for part in whole.parts[finished:]:
        assert_frame_equal(resumed.search(part), parts[part])
    assert_frame_equal(resumed.groups().members, whole.groups().members)
    assert_frame_equal(resumed.groups().groups, whole.groups().groups)
    assert resumed.summary() == whole.summary()


@pytest.mark.parametrize("seed", range(4))
def test_same_components_as_looking_at_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 12, 40).tolist()
    pictures = [list(light_edits(draw(kind)).values())[rng.integers(7)] for kind in kinds]
    rows, vectors = samples(pictures), embeddings(kinds, spread=0.9, seed=seed)
    _, found = _run(rows, vectors, DuplicatesConfig(threshold=0.3, block_rows=9))
    members = planes(*pictures)
    left, right = np.triu_indices(len(members), 1)
    unit = vectors.astype(np.float32)
    cosine = (unit @ unit.T)[left, right] / np.outer(*[np.linalg.norm(unit, axis=1)] * 2)[left, right]
    hashes = rows["phash"].to_numpy()
    proposed = (cosine >= 0.3) | (np.bitwise_count(hashes[left] ^ hashes[right]) <= 8)
    equal = rows["pixel_sha256"].to_numpy()[left] == rows["pixel_sha256"].to_numpy()[right]
    edges = equal | (proposed & look(members[left], members[right], DuplicatesConfig()).accepted)
    graph = nx.Graph(zip((10 * left[edges] + 10).tolist(), (10 * right[edges] + 10).tolist(), strict=True))
    expected = sorted(sorted(part) for part in nx.connected_components(graph))
    assert sorted(found.members.group_by("group_id").agg(pl.col("sample_id").sort())["sample_id"].to_list()) == expected


def test_a_big_cluster_is_found_whole_with_few_looks() -> None:
    rng = np.random.default_rng(0)
    base = draw(1)
    pictures = [
        np.clip(base.astype(int) + rng.integers(-6, 7, base.shape), 0, 255).astype(np.uint8) for _ in range(300)
    ]
    search = DuplicateSearch(samples(pictures), embeddings([0] * 300, spread=0.1), DuplicatesConfig(block_rows=64))
    for part in search.parts:
        search.search(part)
    found = search.groups()
    assert found.groups.select("copies", "distinct_images").rows() == [(300, 300)]
    assert search.summary().looked < 3 * 300


def test_look_alikes_in_masses_cost_a_bounded_number_of_looks() -> None:
    pictures = [draw(number) for number in range(80)]
    search = DuplicateSearch(
        samples(pictures), embeddings([0] * 80, spread=0.1), DuplicatesConfig(threshold=0.5, looks_per_row=10)
    )
    for part in search.parts:
        assert not search.search(part)["accepted"].any()
    summary = search.summary()
    assert summary.looked <= 80 * (10 + _settle._MOST_AT_ONCE)
    assert summary.over_budget > 60
    assert search.groups().groups.is_empty()


@pytest.mark.parametrize(
    ("pictures", "groups"),
    [
        (lambda: [], []),
        (lambda: [draw(1)], []),
        (lambda: [draw(1)] * 7, [(7, 1)]),
        (lambda: [draw(number) for number in range(9)], []),
        (lambda: [np.full((40, 40, 3), shade, np.uint8) for shade in (0, 80, 80, 255)], [(2, 1)]),
    ],
    ids=["empty", "one row", "all equal", "none alike", "flat"],
)
def test_edge_cases(pictures: Callable[[], list[Picture]], groups: list[tuple[int, int]]) -> None:
    made = pictures()
    _, found = _run(samples(made), embeddings([0] * len(made)), DuplicatesConfig())
    assert found.groups.select("copies", "distinct_images").rows() == groups
    assert found.members.columns == list(MEMBERS.columns)


def test_an_empty_set_without_a_width() -> None:
    _, found = _run(samples([]), np.empty((0, 0), np.float16), DuplicatesConfig())
    assert found.members.is_empty()


def test_zero_vectors_are_tied_by_their_hash_only() -> None:
    copies = [draw(1), *light_edits(draw(1)).values(), draw(2)]
    _, found = _run(samples(copies), np.zeros((len(copies), 8), np.float16), DuplicatesConfig())
    assert len(found.groups) == 1
    assert 90 not in found.members["sample_id"]
    assert found.groups["min_similarity"][0] == 0


def test_whitened_sets_are_searched_too(planted: tuple[pl.DataFrame, np.ndarray, list[int]]) -> None:
    rows, vectors, kinds = planted
    search = DuplicateSearch(rows, vectors, DuplicatesConfig(whiten_min_rows=100))
    for part in search.parts:
        search.search(part)
    assert "whitened to" in search.summary().embedding
    assert sorted(_grouped(search.groups(), kinds), key=min) == [{kind} for kind in range(15)]


def test_what_does_not_fit_together_is_refused() -> None:
    rows = samples([draw(1), draw(2)])
    with pytest.raises(UnusableInputError, match="2 samples have 3 embeddings"):
        DuplicateSearch(rows, embeddings([0, 1, 2]), DuplicatesConfig())
    broken = embeddings([0, 1])
    broken[1, 3] = np.nan
    with pytest.raises(UnusableInputError, match="NaN"):
        DuplicateSearch(rows, broken, DuplicatesConfig())
    for thumbnail in (None, b"short"):
        spoilt = rows.with_columns(thumbnail=pl.lit(thumbnail, pl.Binary))
        with pytest.raises(UnusableInputError, match="no 32 × 32 thumbnail"):
            DuplicateSearch(spoilt, embeddings([0, 1]), DuplicatesConfig())


def test_parts_are_searched_in_order() -> None:
    search = DuplicateSearch(samples([draw(1), draw(2)]), embeddings([0, 1]), DuplicatesConfig(block_rows=1))
    assert search.parts == (
        *("cosine-leaders-00000", "cosine-00000", "cosine-00001"),
        *("hash-leaders-00000", "hash-00000", "hash-00001"),
    )
    with pytest.raises(AssertionError, match="in order"):
        search.search("cosine-00000")
    with pytest.raises(AssertionError, match="every part"):
        search.groups()


def _pair(left: int, right: int, similarity: float, worst_block: float, *, accepted: bool = False) -> dict[str, object]:
    seen = {"look": "thumbnail", "look_distance": 0.05, "worst_block": worst_block, "accepted": accepted}
    return {"left": left, "right": right, "similarity": similarity, "hash_distance": 20} | seen


@pytest.mark.parametrize("cut", [0, 2, 5])
def test_what_is_left_open_goes_to_the_close_look_first_what_the_thumbnails_are_not_sure_of(cut: int) -> None:
    rows = samples([draw(number) for number in range(6)])
    search = DuplicateSearch(rows, np.eye(6, dtype=np.float16), DuplicatesConfig(close_looks=1))
    pairs = PAIRS.frame(
        [
            _pair(10, 20, 0.9, 0.05, accepted=True),
            _pair(10, 30, 0.8, 0.3),  # the most similar of 10
            _pair(10, 40, 0.7, 0.3),  # second to it, and to the next
            _pair(20, 40, 0.75, 0.3),
            _pair(30, 50, 0.6, 0.15),  # not sure: before (10, 30)
            _pair(40, 60, 0.2, 0.19),
        ]
    )
    found = search.unsettled([pairs[cut:], pairs[:cut]], 1)
    assert found.select("left", "right").rows() == [(10, 30), (20, 40), (30, 50), (40, 60)]


def test_where_a_picture_is_gone_the_thumbnails_have_the_last_word() -> None:
    rows = samples([draw(number) for number in range(4)])
    search = DuplicateSearch(rows, np.eye(4, dtype=np.float16), DuplicatesConfig(close_looks=4))
    pairs = PAIRS.frame([_pair(10, 20, 0.9, 0.19), _pair(30, 40, 0.9, 0.21)])
    found = search.look_closely(pairs, lambda _: None)
    assert found.select("look", "accepted").rows() == [("geometry", True), ("geometry", False)]


def test_what_the_thumbnails_are_not_sure_of_is_accepted_only_without_close_looks() -> None:
    picture = draw(2)
    copy = light_edits(picture)["q30"]
    assert 0.08 < look(planes(picture), planes(copy), DuplicatesConfig()).worst_block[0] < 0.12
    rows, vectors = samples([picture, copy]), embeddings([0, 0], spread=0.1)
    for close_looks, sure, accepted in ((0, 0.08, True), (4, 0.08, False), (4, 0.12, True)):
        config = DuplicatesConfig(close_looks=close_looks, sure_worst_block=sure)
        assert _run(rows, vectors, config)[0]["accepted"].to_list() == [accepted]
