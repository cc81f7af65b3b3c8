"""Two pictures on one grid of pixels, as a similarity lays them, settled by their pixels.

The grid is that of the picture that shows the scene coarser; the other is blurred to its sharpness first. Keypoints
give the place to about a pixel, and a pixel's shift leaves a residual at every edge. So a few Gauss-Newton steps on six
numbers (affine: copies resized to whole pixels are squeezed a little) settle it: Lucas and Kanade 1981,
https://www.ijcai.org/Proceedings/81-2/Papers/017.pdf, with the absolute difference as the error, so that a text across
the picture pulls little.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.geometry._features import Features

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_STEPS = 4
_GAIN = 0.98
"""A step that leaves more of the error than this is the last."""
_SMOOTHED = 1.0
"""Deviation of the Gauss filter before the steps, pixels: the gradients then hold over a pixel's shift."""
_ROBUST = 0.03
"""Differences above count by their absolute value, smaller ones by their square (values 0 to 1)."""
_DAMPING = 1e-3
_MIN_PIXELS = 64
"""Smallest overlap, pixels."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What two pictures have in common, on one grid; values 0 to 1."""

    first: Floats
    """(h, w, 3): the coarser picture."""
    second: Floats
    """(h, w, 3): the other, where `inside`."""
    inside: Mask
    """(h, w): where both are."""
    share: float
    """Of the picture of the larger extent, what the other covers."""
    coverage: float
    """Of the picture of the smaller extent, what lies on the other."""


def filtered(picture: Floats, deviation: float) -> Floats:
    """Gauss filter, the border repeated."""
    blurred = cv2.GaussianBlur(picture, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32).reshape(picture.shape)


def slopes(picture: Floats) -> tuple[Floats, Floats]:
    """Central differences along rows and along columns."""
    across, down = (
        cv2.Sobel(picture, -1, *order, ksize=1, scale=0.5, borderType=cv2.BORDER_REPLICATE)
        for order in ((1, 0), (0, 1))
    )
    return np.asarray(across, np.float32).reshape(picture.shape), np.asarray(down, np.float32).reshape(picture.shape)


def _to_pixels(picture: Features) -> Doubles:
    """(3, 3): from the picture's coordinates to the places of its small picture's pixels."""
    rows, columns, _ = picture.picture.shape
    return np.array([[columns / picture.width, 0, -0.5], [0, rows / picture.height, -0.5], [0, 0, 1]])


def _inside(size: tuple[int, int], other: tuple[int, int], transform: Doubles) -> Mask:
    """Which pixels of a grid of `size` fall between those of a picture of size `other`; both (rows, columns)."""
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])
    x, y = (row[0] * columns + row[1] * rows + row[2] for row in transform[:2])
    inside: Mask = (x >= -0.25) & (y >= -0.25) & (x <= other[1] - 0.75) & (y <= other[0] - 0.75)
    return inside


def _warped(picture: Floats, transform: Doubles, size: tuple[int, int]) -> Floats:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(picture, transform[:2], size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def _levelled(values: Floats) -> Floats:
    centred = values - values.mean()
    unit: Floats = centred / max(float(np.sqrt((centred * centred).mean())), 1e-3)
    return unit


class _Steps:
    """Gauss-Newton on the place of `moving` under the pixels of `still`, both grey."""

    def __init__(self, still: Floats, moving: Floats, scale: float) -> None:
        self._still, self._moving = filtered(still, _SMOOTHED), filtered(moving, _SMOOTHED * max(scale, 1))
        rows, columns = still.shape
        y = (np.arange(rows, dtype=np.float32) / columns - rows / columns / 2)[:, None]
        x = np.arange(columns, dtype=np.float32) / columns - 0.5
        across, down = slopes(self._still)
        self._slopes = np.stack([across, down, across * x, across * y, down * x, down * y])
        self._origin = np.array([0.5, rows / columns / 2])

    def compared(self, transform: Doubles) -> tuple[float, Floats, Mask]:
        """Mean absolute difference at one brightness and contrast, the differences (n,) and where they are."""
        size = self._still.shape
        inside = _inside(size, self._moving.shape, transform)
        if inside.sum() < _MIN_PIXELS:
            return np.inf, np.empty(0, np.float32), inside
        still = self._still[inside]
        difference = (_levelled(_warped(self._moving, transform, size)[inside]) - _levelled(still)) * still.std()
        return float(np.abs(difference).mean()), difference, inside

    def moved(self, transform: Doubles, difference: Floats, inside: Mask) -> Doubles:
        """The transform after one step."""
        jacobian = self._slopes[:, inside].astype(np.float64)
        weighted = jacobian / np.maximum(np.abs(difference), _ROBUST)
        normal = weighted @ jacobian.T
        normal += np.eye(6) * (_DAMPING * np.trace(normal) / 6 + 1e-9)
        shift_x, shift_y, *linear = np.linalg.solve(normal, weighted @ difference)
        columns = self._still.shape[1]
        slope = np.array(linear).reshape(2, 2) / columns
        offset = np.array([shift_x, shift_y]) - slope @ self._origin * columns
        step = np.eye(3)
        step[:2, :2] -= slope
        step[:2, 2] -= offset
        return transform @ step


def _settled(still: Floats, moving: Floats, transform: Doubles) -> Doubles:
    steps = _Steps(still @ LUMINANCE, moving @ LUMINANCE, _scale(transform))
    error, difference, inside = steps.compared(transform)
    for _ in range(_STEPS):
        if not len(difference):
            break
        trial = steps.moved(transform, difference, inside)
        if _scale(trial) <= 0:
            break
        found, *rest = steps.compared(trial)
        last, better = found > _GAIN * error, found < error
        if better:
            transform, error, (difference, inside) = trial, found, rest  # type: ignore[assignment]
        if last:
            break
    return transform


def _scale(transform: Doubles) -> float:
    """Pixels of the second picture to one of the first, 0 where the transform is not a proper one."""
    determinant = np.linalg.det(transform[:2, :2])
    return float(np.sqrt(max(determinant, 0)))


def overlap(first: Features, second: Features, transform: Doubles) -> Overlap | None:
    """Both pictures on the coarser one's pixels; None where too little is in common.

    `transform` (3, 3) takes the first picture's coordinates to the second's.
    """
    pixels = _to_pixels(second) @ transform @ np.linalg.inv(_to_pixels(first))
    coarse, fine = first, second
    if _scale(pixels) < 1:
        pixels, coarse, fine = np.linalg.inv(pixels), second, first
    still, moving = (side.picture.astype(np.float32) / np.float32(255) for side in (coarse, fine))
    pixels = _settled(still, moving, pixels)
    scale = _scale(pixels)
    if scale > 1.2:
        moving = filtered(moving, 0.5 * np.sqrt(scale**2 - 1))
    size = (still.shape[0], still.shape[1])
    inside = _inside(size, (moving.shape[0], moving.shape[1]), pixels)
    common = int(inside.sum())
    if common < _MIN_PIXELS:
        return None
    areas = sorted((still.shape[0] * still.shape[1], moving.shape[0] * moving.shape[1] / scale**2))
    return Overlap(
        first=still,
        second=_warped(moving, pixels, size),
        inside=inside,
        share=min(common / areas[1], 1.0),
        coverage=min(common / areas[0], 1.0),
    )
