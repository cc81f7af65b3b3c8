"""The rules of evidence on planted images: what promises something, what is made next, when it is enough."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.attack import ByClique, ByOriginals, Shown, clique_level, clique_of
from scanner.attack._generate import png

ORIGINALS = ByOriginals(group_of={7: 7, 8: 7}, most=8, chase=10, ceiling=0.12)


def shown(*images: tuple[int, float | None]) -> list[Shown]:
    """Images by number and distance to original 7; None: near none."""
    return [Shown(index=i, near=() if d is None else ((7, d),), png=None) for i, d in images]


def test_a_prompt_is_as_promising_as_its_nearest_image():
    assert ORIGINALS.score(shown((0, 0.2), (1, None), (2, 0.1))) == 0.1
    assert ORIGINALS.score(shown((0, None))) == ORIGINALS.score([]) == inf
    assert ORIGINALS.promising(shown((0, 0.2), (1, 0.15), (2, 0.1)), 0.15) == [2, 1]


def test_originals_that_stand_once_promise_something_only_within_the_ceiling():
    near_one = [Shown(index=0, near=((1, 0.13), (8, 0.2)), png=None)]
    assert ORIGINALS.score(near_one) == 0.2
    assert ORIGINALS.score([Shown(index=0, near=((1, 0.12), (8, 0.2)), png=None)]) == 0.12
    assert replace(ORIGINALS, families=frozenset({1})).score(near_one) == 0.13


def test_the_best_seed_is_looked_at_alone_first():
    search = shown((0, 0.2), (1, 0.15), (2, 0.1))
    assert ORIGINALS.wanted(search, [], [2, 1]) == [2]
    assert ORIGINALS.wanted(search, shown((2, 0.2)), [2, 1]) == [1]
    assert ORIGINALS.wanted(search, shown((2, 0.2), (1, None)), [2, 1]) == []


def test_once_an_image_shows_an_original_a_second_is_chased():
    search = shown((0, 0.2), (1, None), (2, 0.1), (3, 0.11))
    assert ORIGINALS.more(search, []) == ORIGINALS.more(search, shown((2, 0.2))) == 0
    assert ORIGINALS.wanted(search, shown((2, 0.05)), [2, 3]) == [3]
    assert ORIGINALS.wanted(search, shown((2, 0.05), (3, 0.3)), [2, 3]) == []
    assert ORIGINALS.more(search, shown((2, 0.05), (3, 0.3))) == 2
    nine = shown(*((i, 0.2) for i in range(9)))
    assert ORIGINALS.more(nine, shown((2, 0.05))) == 1
    assert ORIGINALS.more([*nine, *shown((9, 0.2))], shown((2, 0.05))) == 0


def test_no_more_full_step_images_are_made_than_said():
    eight = shown((2, 0.05), *((i, None) for i in (0, 3, 4, 5, 6, 7, 8)))
    search = shown(*((i, 0.1) for i in range(9)))
    assert ORIGINALS.wanted(search, eight, list(range(9))) == []
    assert ORIGINALS.more(search, eight) == 0


def test_two_images_near_one_original_are_enough():
    agreed = [*shown((2, 0.05)), Shown(index=3, near=((8, 0.11),), png=None)]
    assert ORIGINALS.level(agreed) == 0.11
    assert ORIGINALS.wanted(shown((2, 0.1), (4, 0.1)), agreed, [2, 4]) == []
    assert ORIGINALS.more(shown((2, 0.1)), agreed) == 0
    assert ORIGINALS.level(shown((2, 0.05), (3, None))) is None


def pictures(*greys: float) -> list[Shown]:
    """Flat images of these grey levels, numbered."""
    flat = [np.full((8, 8, 3), round(grey * 255), np.uint8) for grey in greys]
    return [Shown(index=i, near=(), png=png(pixels)) for i, pixels in enumerate(flat)]


def test_without_originals_images_that_are_all_alike_are_the_evidence():
    rule = ByClique(size=3, most=5, ceiling=0.15)
    alike, apart = pictures(0.5, 0.5, 0.51, 0.9), pictures(0.1, 0.4, 0.6, 0.9)
    assert rule.score(alike) == 0
    assert rule.score(apart) == pytest.approx(0.2, abs=0.01)
    assert rule.score(alike[:1]) == inf
    assert rule.level(alike) == pytest.approx(0.01, abs=0.003)
    assert rule.level(alike[:2]) is None
    promising = rule.promising(alike, 0.1)
    assert promising == [0, 1, 2, 3]
    assert rule.promising(apart, 0.1) == []
    assert rule.wanted(alike, [], promising) == [0, 1, 2, 3, 4]
    assert rule.wanted(alike, alike, promising) == rule.wanted(apart, [], []) == []


@given(st.integers(2, 9), st.integers(2, 5), st.integers(0, 10**6))
def test_the_level_is_where_a_clique_begins(count, size, seed):
    upper = np.triu(np.random.default_rng(seed).random((count, count)).astype(np.float32), 1)
    distances = upper + upper.T
    level = clique_level(distances, size)
    if count < size:
        assert level == inf
        return
    assert clique_of(distances <= level, size=size).decision == "yes"
    assert clique_of(distances < level, size=size).decision == "no"
