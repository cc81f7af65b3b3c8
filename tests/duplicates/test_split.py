import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates import DuplicatesConfig, look
from scanner.duplicates._components import new_forest, unite
from scanner.duplicates._judge import ByThumbnail
from scanner.duplicates._split import Linked, Part, medoid, split_groups
from tests.duplicates.planted import Picture, cropped, draw, embeddings, light_edits, planes

CONFIG = DuplicatesConfig()


def _split(pictures: list[Picture], pairs: list[tuple[int, int]], vectors: np.ndarray | None = None) -> list[Part]:
    left, right = np.array(sorted(pairs), np.uint32).T
    parents = new_forest(len(pictures))
    unite(parents, left, right)
    if vectors is None:
        vectors = embeddings([0] * len(pictures)).astype(np.float32)
    return split_groups(parents, Linked(left=left, right=right), ByThumbnail(planes(*pictures), CONFIG), vectors)


def _accepted(pictures: list[Picture]) -> list[tuple[int, int]]:
    members = planes(*pictures)
    left, right = np.triu_indices(len(members), 1)
    accepted = look(members[left], members[right], CONFIG).accepted
    return list(zip(left[accepted].tolist(), right[accepted].tolist(), strict=True))


def _blend(first: Picture, second: Picture, share: float) -> Picture:
    return (first * (1 - share) + second.astype(float) * share).round().astype(np.uint8)


@pytest.mark.parametrize("first", range(2))
def test_a_chain_of_gradually_changed_pictures_is_split(first: int) -> None:
    steps = 40
    chain = [_blend(draw(first), draw(first + 50), step / steps) for step in range(steps + 1)]
    pairs = _accepted(chain)
    assert all((step, step + 1) in pairs for step in range(steps))
    parts = _split(chain, pairs)
    assert len(parts) > 1
    assert all(part.split_from == 0 for part in parts)
    assert sorted(np.concatenate([part.members for part in parts]).tolist()) == list(range(steps + 1))
    assert not any({0, steps} <= set(part.members.tolist()) for part in parts)
    again = _split(chain, pairs)
    assert [part.members.tolist() for part in parts] == [part.members.tolist() for part in again]


@pytest.mark.parametrize("number", range(6))
def test_light_edits_are_not_split(number: int) -> None:
    picture = draw(number)
    crops = [cropped(picture, 0.9, top, left) for top in (0, 1) for left in (0, 1)]
    copies = [picture, *light_edits(picture).values(), *crops]
    pairs = [(0, copy) for copy in range(1, len(copies))]
    parts = _split(copies, pairs)
    assert [part.members.tolist() for part in parts] == [list(range(len(copies)))]
    assert parts[0].split_from is None


def test_a_crop_as_medoid_does_not_split_the_group() -> None:
    picture = draw(3)
    copies = [picture, *(cropped(picture, 0.9, top, left) for top in (0, 1) for left in (0, 1))]
    vectors = embeddings([0] * len(copies)).astype(np.float32)
    vectors[1] = vectors.sum(0) / np.linalg.norm(vectors.sum(0))
    assert medoid(vectors) == 1
    assert [part.members.tolist() for part in _split(copies, [(0, copy) for copy in range(1, 5)], vectors)] == [
        list(range(5))
    ]


def test_two_pictures_joined_by_a_false_pair_are_parted() -> None:
    first, second = draw(1), draw(2)
    copies = [first, *light_edits(first).values(), second, *light_edits(second).values()]
    size = len(copies) // 2
    pairs = [(0, copy) for copy in range(1, size)] + [(size, size + copy) for copy in range(1, size)]
    parts = _split(copies, [*pairs, (size - 1, size)])
    assert [part.members.tolist() for part in parts] == [list(range(size)), list(range(size, 2 * size))]
    assert [part.split_from for part in parts] == [0, 0]


def test_pairs_are_taken_as_the_look_left_them() -> None:
    parts = _split([draw(1), draw(2), draw(3), draw(4)], [(0, 2), (1, 3)])
    assert [part.members.tolist() for part in parts] == [[0, 2], [1, 3]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 500), st.integers(1, 30), st.booleans())
def test_medoid_is_the_member_of_the_largest_mean_cosine(seed: int, count: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.integers(1, 9, count) if weighted else None
    means = (vectors @ vectors.T) @ (np.ones(count) if weights is None else weights)
    assert means[medoid(vectors, weights)] == pytest.approx(means.max(), abs=1e-3)


def test_of_equal_members_the_first_is_the_medoid() -> None:
    assert medoid(np.tile(np.float32([0.6, 0.8]), (4, 1))) == 0
    assert medoid(np.zeros((3, 4), np.float32)) == 0


def test_pairs_among_members() -> None:
    links = Linked(left=np.array([0, 1, 1, 4], np.uint32), right=np.array([5, 2, 4, 5], np.uint32))
    left, right = links.among(np.array([1, 4, 5]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1), (1, 2)]
