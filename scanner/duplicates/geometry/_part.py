"""Where in a picture the part lies that it has in common with another: a logo, a frame, a template.

`compare` says that there is one (`shared`); this says which keypoints of the picture lie on it, so that it can be seen
whether a third picture has the same part.

>>> parts = common_part(centre, other, GeometryConfig())              # doctest: +SKIP
>>> spanned(centre, parts)                                        # doctest: +SKIP
0.18
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.geometry._compare import order
from scanner.duplicates.geometry._config import GeometryConfig
from scanner.duplicates.geometry._features import Features
from scanner.duplicates.geometry._match import agreed, agreeing, mirrored, voted

Mask = NDArray[np.bool_]


def common_part(one: Features, other: Features, config: GeometryConfig) -> Mask:
    """(k,): which of `one`'s keypoints agree on one similarity with the other's, or with its mirror image's.

    None of them where fewer than `firm_inliers` do, at different places: so few agree by chance.
    """
    inside = np.zeros(len(one.keypoints), bool)
    first, second = sorted((one, other), key=order)
    ballots = [voted(first, side, config) for side in (second, mirrored(second))]
    fits = [(ballot, agreed(ballot, config)) for ballot in ballots]
    ballot, fit = max(fits, key=lambda found: found[1].inliers if found[1] else 0)
    if fit is not None and fit.inliers >= config.firm_inliers:
        found = agreeing(ballot, np.array(fit.factor), np.array(fit.shift), config.max_shift)
        inside[ballot.places[found, int(first is not one)]] = True
    return inside


def spanned(picture: Features, part: Mask) -> float:
    """Share of the picture's area, 0 to 1, that the convex hull of these of its keypoints covers."""
    if part.sum() < 3:
        return 0.0
    return float(cv2.contourArea(cv2.convexHull(picture.keypoints[part, :2])))
