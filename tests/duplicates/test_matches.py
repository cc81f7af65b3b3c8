"""Pictures of one set among those of another: planted copies are found, and nothing else."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.duplicates import DuplicatesConfig, MatchSearch, OneSet
from scanner.errors import UnusableInputError
from scanner.tables import MATCH_PAIRS
from tests.duplicates.planted import Picture, draw, embeddings, light_edits, samples
from tests.duplicates.test_additions import blind

CONFIG = DuplicatesConfig(block_rows=8)


def one_set(pictures: list[Picture], kinds: list[int], seed: int = 0) -> OneSet:
    return OneSet(samples=samples(pictures), embeddings=_of_kinds(kinds, seed))


def _of_kinds(kinds: list[int], seed: int) -> np.ndarray:
    """Rows of one kind are alike in both sets."""
    return embeddings([*range(60), *kinds], spread=0.3, seed=seed)[60:]


@pytest.fixture(scope="module")
def here() -> OneSet:
    """Twelve pictures; one twice, and two edits of pictures that are not here as they are."""
    pictures = [*map(draw, range(12)), draw(3), light_edits(draw(40))["q75"], light_edits(draw(41))["half"]]
    return one_set(pictures, [*range(12), 3, 40, 41])


@pytest.fixture(scope="module")
def there() -> OneSet:
    """Two of the pictures as they are (one of them twice), an edit of a third, two that are edited here, and others."""
    pictures = [draw(50), draw(3), draw(5), draw(5), light_edits(draw(7))["q30"], draw(40), draw(41), draw(51)]
    return one_set(pictures, [50, 3, 5, 5, 7, 40, 41, 51])


def found(search: MatchSearch) -> list[tuple[int, int, str]]:
    for part in search.parts:
        search.search(part)
    return search.matches().select("sample_id", "other_sample_id", "look").rows()


EXPECTED = [
    *((40, 20, "pixels"), (60, 30, "pixels"), (80, 50, "thumbnail")),
    *((130, 20, "pixels"), (140, 60, "thumbnail"), (150, 70, "thumbnail")),
]


def test_equal_pixels_and_edits_are_found_and_nothing_else(here, there):
    search = MatchSearch(here, there, CONFIG, cosine=0.5)
    assert found(search) == EXPECTED
    assert len(search.parts) == 2
    matches = search.matches()
    assert (matches["look_distance"] <= CONFIG.max_distance).all()
    assert (matches.filter(pl.col("look") == "pixels")["similarity"] == 1).all()


@pytest.mark.parametrize("finished", [0, 1, 2])
def test_restored_parts_give_the_same_matches(here, there, finished):
    whole = MatchSearch(here, there, CONFIG, cosine=0.5)
    parts = {part: whole.search(part) for part in whole.parts}
    resumed = MatchSearch(here, there, CONFIG, cosine=0.5)
    for number, part in enumerate(resumed.parts):
        if number < finished:
            resumed.restore(part, parts[part])
        else:
            assert_frame_equal(resumed.search(part), parts[part])
    assert_frame_equal(resumed.matches(), whole.matches())
    assert not pl.concat(parts.values()).select(MATCH_PAIRS.key).is_duplicated().any()


def test_a_set_is_wholly_in_itself(here):
    ids = here.samples["sample_id"].to_list()
    first = [40 if sample == 130 else sample for sample in ids]
    assert found(MatchSearch(here, here, CONFIG, cosine=0.5)) == [
        (sample, other, "pixels") for sample, other in zip(ids, first, strict=True)
    ]


def test_empty_sets_match_nothing(here):
    empty = OneSet(samples=samples([]), embeddings=np.empty((0, 64), np.float16))
    for pair in ((here, empty), (empty, here), (empty, empty)):
        search = MatchSearch(*pair, CONFIG, cosine=0.5)
        assert search.parts == ()
        assert search.matches().is_empty()


@pytest.mark.parametrize("exhaustive_rows", [100, 50_000], ids=["cells", "all pairs"])
def test_without_pictures_the_cosine_decides_and_the_most_similar_is_taken(exhaustive_rows):
    kinds = np.random.default_rng(2).permutation(np.repeat(np.arange(200), 2)).tolist()
    rows = embeddings([*range(200), *kinds], spread=0.02)
    mine, theirs = rows[:200], rows[200 : 200 + 260]
    sides = [OneSet(samples=blind(part), embeddings=part) for part in (mine, theirs)]
    config = DuplicatesConfig(exhaustive_rows=exhaustive_rows, probes=8, block_rows=64)
    search = MatchSearch(*sides, config, cosine=0.95)
    for part in search.parts:
        search.search(part)
    matches = search.matches()
    unit = [
        part.astype(np.float32) / np.linalg.norm(part.astype(np.float32), axis=1)[:, None] for part in (mine, theirs)
    ]
    cosine = unit[0] @ unit[1].T
    expected = np.flatnonzero(cosine.max(1) >= 0.95)
    assert matches["sample_id"].to_list() == (10 * expected + 10).tolist()
    assert matches["other_sample_id"].to_list() == (10 * cosine[expected].argmax(1) + 10).tolist()
    assert set(matches["look"]) == {"similarity"}
    assert 100 < matches.height < 200


def test_at_a_threshold_of_one_parallel_embeddings_match():
    mine = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    theirs = np.concatenate([-mine[:5], 3 * mine[100:150]])
    sides = [OneSet(samples=blind(part), embeddings=part) for part in (mine, theirs)]
    search = MatchSearch(*sides, CONFIG, cosine=1.0)
    matched = [(one, other) for one, other, _ in found(search)]
    mine_ids, their_ids = (side.samples["sample_id"] for side in sides)
    assert matched == list(zip(mine_ids[100:150], their_ids[5:], strict=True))


def test_pictures_and_bare_embeddings_are_not_compared(here):
    other = OneSet(samples=blind(np.eye(64, dtype=np.float16)), embeddings=np.eye(64, dtype=np.float16))
    with pytest.raises(UnusableInputError, match="compare runs of one kind"):
        MatchSearch(here, other, CONFIG, cosine=0.5)
