"""The geometric look at a pair of pictures, from their features."""

from dataclasses import dataclass

import cv2
import numpy as np

from scanner.duplicates.geometry._config import GeometryConfig
from scanner.duplicates.geometry._features import Features
from scanner.duplicates.geometry._match import Fit, agreed, mirrored, voted
from scanner.duplicates.geometry._overlap import LUMINANCE, Doubles, Floats, overlap
from scanner.duplicates.geometry._residual import NOTHING, residual


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the geometric look found of a pair."""

    accepted: bool
    """One picture."""
    distance: float
    """Mean absolute difference over the overlap at mean 0 and deviation 0.25; 2.0: there was nothing to compare."""
    worst_block: float
    """Largest difference of a block relative to its contrast; 2.0: there was nothing to compare."""
    inliers: int
    """Keypoints that agree on one similarity; 0 where the whole pictures were laid on each other."""
    coverage: float
    """Share of the smaller picture that lies on the other."""
    mirrored: bool
    """One lies on the mirror image of the other."""
    shared: bool
    """Not one picture, but clearly a part in common: the geometry is firm (`firm_inliers`), and the residual is not
    that of one picture or the common part too small."""


_NOTHING = Geometry(
    accepted=False, distance=NOTHING, worst_block=NOTHING, inliers=0, coverage=0.0, mirrored=False, shared=False
)
_COARSE = 16
_WORTH_REFINING = 0.7
"""Share of the more votes that the picture or its mirror image needs to be refined too."""


def _matrix(found: Fit) -> Doubles:
    factor, shift = found.factor, found.shift
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag], [0, 0, 1]])


def _coarse(picture: Features) -> Floats:
    """The whole picture at 16 × 16, grey, of mean 0 and length 1 (0 where flat)."""
    small = cv2.resize(picture.picture, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).astype(np.float32) @ LUMINANCE
    small -= small.mean()
    length = float(np.sqrt((small * small).sum()))
    coarse: Floats = small / length if length > _COARSE else np.zeros_like(small)
    return coarse


def _placed(first: Features, second: Features, config: GeometryConfig) -> tuple[Features, Doubles, int, bool] | None:
    """The second picture or its mirror image, the transform to it, its inliers, and whether it is the mirror image."""
    sides = (second, mirrored(second))
    votes = [voted(first, side, config) for side in sides]
    most = max(ballot.most for ballot in votes)
    fits = [agreed(ballot, config) if ballot.most >= _WORTH_REFINING * most else None for ballot in votes]
    inliers = [found.inliers if found else 0 for found in fits]
    flip = inliers[1] > inliers[0]
    chosen = fits[flip]
    if chosen:
        return sides[flip], _matrix(chosen), chosen.inliers, flip
    one, two = _coarse(first), _coarse(second)
    alike = [float((one * two).sum()), float((one * two[:, ::-1]).sum())]
    flip = alike[1] > alike[0]
    if alike[flip] < config.min_correlation:
        return None
    squeeze = np.diag([second.width / first.width, second.height / first.height, 1.0])
    return sides[flip], squeeze, 0, flip


def order(picture: Features) -> tuple[float, int, bytes, bytes]:
    """What pictures are sorted by, so that a pair gives the same either way round."""
    return picture.width, len(picture.keypoints), picture.picture.tobytes(), picture.keypoints.tobytes()


def compare(one: Features, other: Features, config: GeometryConfig) -> Geometry:
    """Whether two pictures are one, up to the edits that the package names; the order does not matter."""
    first, second = sorted((one, other), key=order)
    placed = _placed(first, second, config)
    if placed is None:
        return _NOTHING
    side, transform, inliers, flipped = placed
    common = overlap(first, side, transform)
    if common is None:
        return _NOTHING
    firm = inliers >= config.firm_inliers
    left = residual(common, config, inliers)
    accepted = left.accepted and common.coverage >= config.min_coverage and common.share >= config.min_share
    return Geometry(
        accepted=accepted,
        distance=left.distance,
        worst_block=left.worst_block,
        inliers=inliers,
        coverage=common.coverage,
        mirrored=flipped,
        shared=firm and not accepted,
    )
