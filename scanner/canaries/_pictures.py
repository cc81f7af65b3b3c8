"""Pictures of canaries: drawn from a seed, unlike anything that a data set holds, and unlike one another.

A ground of coloured fields that run into one another, and on it six to nine ellipses, boxes, rings and triangles, flat
or filled with stripes, checks or dots. Everything is drawn from the seed alone: positions, sizes, angles, twenty and
more colours. That is enough that no other set has the picture, and little enough that a small model can learn it.
A drawing has no size of its own: the same seed gives the same picture at every size.

Canaries are told apart by what decides a verdict: l2 at mean 0 and deviation 0.25 (`scanner.attack.normalised_l2`), at
which unrelated pictures lie 0.354 (0.25 × √2) apart on average. A drawing within 0.3 of an earlier one is drawn again.

    >>> draw(np.random.default_rng(0), 64, 48).shape
    (48, 64, 3)
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.attack import as_unit, normalise
from scanner.errors import ScannerError

LEAST_DISTANCE = 0.3
"""Normalised l2 of any two canaries; verdicts are given at 0.12 and less."""
COMPARED_SIDE = 64
"""Canaries are compared at 64 × 64 pixels."""
_SHAPES = (6, 10)
_GROUND = (3, 5)
_PERIODS = (0.15, 0.3)
"""Of a pattern, by the picture's side: coarse enough that a small or re-encoded copy still shows it."""
_TRIES = 200

Field = NDArray[np.float64]


def draw(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A picture (height, width, 3) as RGB; which one depends on the state of `rng` alone."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    edge = 1.5 / min(width, height)
    picture = _ground(rng, x, y)
    for _ in range(rng.integers(*_SHAPES)):
        mask, along, across = _shape(rng, x, y, edge)
        picture += mask[..., None] * (_fill(rng, along, across) - picture)
    return np.asarray(np.rint(picture.clip(0, 1) * 255), np.uint8)


def distinct_seeds(count: int, seed: int, least: float = LEAST_DISTANCE) -> list[tuple[int, int]]:
    """Seeds of `count` drawings, as arguments of `numpy.random.default_rng`, no two within `least` of each other.

    Raises ScannerError when there is no room for another one.
    """
    found: list[tuple[int, int]] = []
    kept = np.empty((count, COMPARED_SIDE * COMPARED_SIDE * 3), np.float32)
    for number in itertools.count():
        if len(found) == count:
            break
        if number > (found[-1][1] if found else 0) + _TRIES:
            raise ScannerError(f"No more than {len(found):,} canaries are unlike one another; plant fewer.")
        picture = draw(np.random.default_rng((seed, number)), COMPARED_SIDE, COMPARED_SIDE)
        looks = normalise(as_unit(picture)).ravel()
        if l2_of(looks, kept[: len(found)]).min(initial=1) >= least:
            kept[len(found)] = looks
            found.append((seed, number))
    return found


def l2_of(one: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """l2 of a picture (pixels,) to others (n, pixels), all of one size and flat."""
    squared = (one @ one + np.einsum("ij,ij->i", others, others) - 2 * (others @ one)) / len(one)
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float64)


def _colour(rng: np.random.Generator) -> Field:
    """Half brightness, half colour: JPEG keeps less of the latter."""
    return np.asarray((rng.uniform() + rng.uniform(0, 1, 3)) / 2)


def _ground(rng: np.random.Generator, x: Field, y: Field) -> Field:
    """Colours at the knots of a small grid, in between along a smooth step."""
    rows, columns = rng.integers(*_GROUND, 2, endpoint=True)
    knots = (rng.uniform(0, 1, (rows + 1, columns + 1, 1)) + rng.uniform(0, 1, (rows + 1, columns + 1, 3))) / 2
    i, j = np.minimum((y * rows).astype(int), rows - 1), np.minimum((x * columns).astype(int), columns - 1)
    down, right = (_smooth(part)[..., None] for part in (y * rows - i, x * columns - j))
    upper = knots[i, j] * (1 - right) + knots[i, j + 1] * right
    lower = knots[i + 1, j] * (1 - right) + knots[i + 1, j + 1] * right
    return np.asarray(upper * (1 - down) + lower * down)


def _smooth(t: Field) -> Field:
    return t * t * (3 - 2 * t)


def _shape(rng: np.random.Generator, x: Field, y: Field, edge: float) -> tuple[Field, Field, Field]:
    """Where a shape covers the picture, 0 to 1 with soft edges, and coordinates along and across it."""
    at_x, at_y, angle = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.uniform(0, np.pi)
    wide, tall = rng.uniform(0.08, 0.28, 2)
    along = (x - at_x) * np.cos(angle) + (y - at_y) * np.sin(angle)
    across = (y - at_y) * np.cos(angle) - (x - at_x) * np.sin(angle)
    kind: Callable[[Field, Field], Field] = _KINDS[int(rng.integers(len(_KINDS)))]
    outside = (kind(along / wide, across / tall) - 1) * min(wide, tall)
    return np.clip(0.5 - outside / edge, 0, 1), along, across


def _ellipse(a: Field, b: Field) -> Field:
    return np.hypot(a, b)


def _box(a: Field, b: Field) -> Field:
    return np.maximum(abs(a), abs(b))


def _ring(a: Field, b: Field) -> Field:
    return 1 + abs(np.hypot(a, b) - 0.75) - 0.25


def _triangle(a: Field, b: Field) -> Field:
    return np.maximum(2 * abs(a) + b, -b)


_KINDS: Sequence[Callable[[Field, Field], Field]] = (_ellipse, _box, _ring, _triangle)
"""1 on a shape's edge, less inside, in units of its half width and half height."""


def _fill(rng: np.random.Generator, along: Field, across: Field) -> Field:
    """One colour, or two in stripes, checks or dots."""
    one, two, period = _colour(rng), _colour(rng), rng.uniform(*_PERIODS)
    waves = np.sin(along * 2 * np.pi / period), np.sin(across * 2 * np.pi / period)
    patterns = (np.zeros_like(along), waves[0], waves[0] * waves[1], waves[0] + waves[1] - 0.5)
    share = np.clip(patterns[int(rng.integers(len(patterns)))] * 4 + 0.5, 0, 1)[..., None]
    return one + share * (two - one)
