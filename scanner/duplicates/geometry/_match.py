"""Which similarity (shift, rotation, scale) lays the keypoints of one picture on those of another.

A SIFT match fixes a similarity alone: its two keypoints have a place, a size and an angle each. So in place of random
pairs of matches (RANSAC, Fischler and Bolles 1981), *every* match is a hypothesis; those on which most matches agree
are refined by least squares. Nothing is random, and a pair costs the same however few of its matches are right.

The mirror image needs no descriptors of its own: mirroring reverses the rows of a descriptor's 4 × 4 cells (they run
across the keypoint's direction) and the sign of its 8 gradient directions. On 586 keypoints found in a picture and
again in its mirror image, half of the descriptors were equal bit by bit after that.

    >>> MIRRORED_BINS[MIRRORED_BINS].tolist() == list(range(128))
    True
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.geometry._config import GeometryConfig
from scanner.duplicates.geometry._features import Features

Complex = NDArray[np.complex128]

MIRRORED_BINS = np.arange(128).reshape(4, 4, 8)[::-1][:, :, -np.arange(8) % 8].ravel()
"""Bins of a descriptor in the order that the mirror image has them in."""
_HYPOTHESES = 3
"""Similarities refined, those with most votes first."""
_LOOSE = 3
"""Votes count within so many times the shift of an inlier: one keypoint gives scale and angle roughly."""
_LIMITS = (2, 1, 1)
"""The same for each round of least squares."""
_MAX_TURN = 0.5
"""Difference of an inlier's own factor from the similarity's, as a share of it: 30 degrees, or half the size."""
_SAME_PLACE = 0.01
"""Keypoints this near each other count once: SIFT gives a place of two directions two keypoints."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A similarity from one picture's coordinates to another's, z ↦ factor · z + shift with z = x + iy."""

    factor: complex
    """Scale and rotation."""
    shift: complex
    """Where the origin goes."""
    inliers: int
    """Matches at different places that agree on it."""


def mirrored(picture: Features) -> Features:
    """The features of the picture's mirror image (left and right exchanged)."""
    keypoints = picture.keypoints.copy()
    keypoints[:, 0] = np.float32(picture.width) - keypoints[:, 0]
    keypoints[:, 3] = np.float32(np.pi) - keypoints[:, 3]
    return Features(
        keypoints=keypoints,
        descriptors=picture.descriptors[:, MIRRORED_BINS],
        picture=np.ascontiguousarray(picture.picture[:, ::-1]),
        width=picture.width,
    )


def matched(first: NDArray[np.uint8], second: NDArray[np.uint8], max_ratio: float) -> NDArray[np.intp]:
    """(m, 2): descriptors (k, 128) that are each other's nearest, clearly nearer than the second for one of the two.

    Squared distances are sums of integers below 2²⁴, exact in float32 whatever the order of the sum.
    """
    if min(len(first), len(second)) < 2:
        return np.empty((0, 2), np.intp)
    one, two = first.astype(np.float32), second.astype(np.float32)
    squares = one @ two.T
    squares *= -2
    squares += np.einsum("kd,kd->k", one, one)[:, None]
    squares += np.einsum("kd,kd->k", two, two)
    nearest, back = squares.argmin(1), squares.argmin(0)
    left = np.flatnonzero(back[nearest] == np.arange(len(first)))
    right = nearest[left]
    best = squares[left, right]
    squares[left, right] = np.inf
    second_best = np.maximum(squares[left].min(1), squares[:, right].min(0))
    clear = best <= max_ratio**2 * second_best
    return np.stack([left[clear], right[clear]], axis=1)


def _least_squares(source: Complex, target: Complex) -> tuple[complex, complex]:
    """The similarity that lays `source` on `target` best."""
    middle, goal = source.mean(), target.mean()
    centred = source - middle
    factor = np.vdot(centred, target - goal) / max(np.vdot(centred, centred).real, 1e-12)
    return complex(factor), complex(goal - factor * middle)


def _places(points: Complex) -> int:
    return len(np.unique(np.round(points / _SAME_PLACE)))


def _allowed(factor: Complex, config: GeometryConfig, slack: float) -> NDArray[np.bool_]:
    turned = np.abs(np.angle(factor)) <= slack * np.deg2rad(config.max_rotation)
    size = np.abs(factor)
    allowed: NDArray[np.bool_] = turned & (size <= config.max_scale) & (size * config.max_scale >= 1)
    return allowed


def agreeing(ballot: "Ballot", factor: Complex, shift: Complex, limit: float) -> NDArray[np.bool_]:
    """(..., m): which matches lie within `limit` of where each similarity (..., 1) puts them."""
    missed = np.abs(factor * ballot.source + shift - ballot.target) <= limit * np.sqrt(np.abs(factor))
    alike: NDArray[np.bool_] = missed & (np.abs(ballot.own - factor) <= _MAX_TURN * np.abs(factor))
    return alike


@dataclass(frozen=True, kw_only=True)
class Ballot:
    """Matches, and which of them agree with the similarity of which."""

    source: Complex
    """(m,): places in the first picture."""
    target: Complex
    """(m,): in the second."""
    own: Complex
    """(m,): factor of the similarity that each match gives by itself."""
    places: NDArray[np.intp]
    """(m, 2): rows of the first and of the second picture's keypoints."""
    votes: NDArray[np.bool_]
    """(m, m): row i, the matches that agree with match i."""
    most: int
    """Votes of the match that has most."""


def voted(first: Features, second: Features, config: GeometryConfig) -> Ballot:
    """The matches of two pictures within the allowed rotation and scale, and their votes."""
    pairs = matched(first.descriptors, second.descriptors, config.max_ratio)
    one, two = (side.keypoints[pairs[:, column]].astype(np.float64) for column, side in enumerate((first, second)))
    own = two[:, 2] / one[:, 2] * np.exp(1j * (two[:, 3] - one[:, 3]))
    usable = _allowed(own, config, 2)
    source, target = (side[usable, 0] + 1j * side[usable, 1] for side in (one, two))
    own = own[usable]
    places = pairs[usable]
    matches = Ballot(source=source, target=target, own=own, places=places, votes=np.empty((0, 0), np.bool_), most=0)
    if len(own) < config.min_inliers:
        return matches
    votes = agreeing(matches, own[:, None], (target - own * source)[:, None], _LOOSE * config.max_shift)
    return replace(matches, votes=votes, most=int(votes.sum(1).max()))


def agreed(ballot: Ballot, config: GeometryConfig) -> Fit | None:
    """The similarity on which most matches agree; None where fewer than `min_inliers` do."""
    if ballot.most < config.min_inliers:
        return None
    best: Fit | None = None
    for start in np.argsort(-ballot.votes.sum(1), kind="stable")[:_HYPOTHESES]:
        found = _refined(ballot, ballot.votes[start], config)
        if found and (best is None or found.inliers > best.inliers):
            best = found
    return best


def _refined(ballot: Ballot, inside: NDArray[np.bool_], config: GeometryConfig) -> Fit | None:
    """The least-squares similarity of the matches `inside`, and again of those that agree with it."""
    for limit in _LIMITS:
        if inside.sum() < config.min_inliers:
            return None
        factor, shift = _least_squares(ballot.source[inside], ballot.target[inside])
        if not _allowed(np.array([factor]), config, 1)[0]:
            return None
        inside = agreeing(ballot, np.array(factor), np.array(shift), limit * config.max_shift)
    inliers = min(_places(ballot.source[inside]), _places(ballot.target[inside]))
    return Fit(factor=factor, shift=shift, inliers=inliers) if inliers >= config.min_inliers else None
