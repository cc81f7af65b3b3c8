"""What is kept of a picture for the geometric look: SIFT keypoints and a small colour picture.

SIFT is Lowe's (*Distinctive Image Features from Scale-Invariant Keypoints*, 2004,
https://www.cs.ubc.ca/~lowe/papers/ijcv04.pdf) as OpenCV computes it. Every picture is first brought to the same number
of pixels, so that a 64-pixel copy gives keypoints of the sizes that its original gives. Coordinates are in units of the
side of the square that has the picture's area: a picture of 4 : 3 is 1.155 wide and 0.866 high.

    >>> import numpy as np
    >>> from scanner.duplicates.geometry import GeometryConfig, features
    >>> picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    >>> features(picture, GeometryConfig()).descriptors.shape
    (160, 128)
"""

import struct
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.geometry._config import GeometryConfig
from scanner.errors import UnusableInputError

Floats = NDArray[np.float32]

_HEADER = struct.Struct("<HHHd")
_PADDING = 12
"""Pixels repeated around the picture: SIFT looks at nothing within 5 pixels of the border, in every octave."""
_MIN_SIDE = 8


@dataclass(frozen=True, kw_only=True)
class Features:
    """A picture as the geometric look needs it; up to 35 KB."""

    keypoints: Floats
    """(k, 4): x, y and diameter in units of the square of equal area; angle in radians, clockwise."""
    descriptors: NDArray[np.uint8]
    """(k, 128): SIFT descriptors."""
    picture: NDArray[np.uint8]
    """(h, w, 3): the whole picture, RGB, small."""
    width: float
    """Of the picture, in the same unit as the keypoints."""

    @property
    def height(self) -> float:
        """Of the picture, in the same unit: the area is 1."""
        return 1 / self.width

    def to_bytes(self) -> bytes:
        """One string of bytes, the same on every machine."""
        rows, columns, _ = self.picture.shape
        header = _HEADER.pack(len(self.keypoints), rows, columns, self.width)
        keypoints = self.keypoints.astype("<f4").tobytes()
        return b"".join((header, keypoints, self.descriptors.tobytes(), self.picture.tobytes()))

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Features":
        """What `to_bytes` wrote; `UnusableInputError` for anything of another length."""
        if len(stored) < _HEADER.size:
            raise UnusableInputError("The stored features are cut short; compute them again.")
        count, rows, columns, width = _HEADER.unpack_from(stored)
        ends = np.cumsum([_HEADER.size, 16 * count, 128 * count, 3 * rows * columns]).tolist()
        if len(stored) != ends[-1]:
            raise UnusableInputError("The stored features do not have the length they name; compute them again.")
        keypoints, descriptors, picture = (stored[start:end] for start, end in pairwise(ends))
        return cls(
            keypoints=np.frombuffer(keypoints, "<f4").astype(np.float32).reshape(count, 4),
            descriptors=np.frombuffer(descriptors, np.uint8).reshape(count, 128),
            picture=np.frombuffer(picture, np.uint8).reshape(rows, columns, 3),
            width=width,
        )


def _resized(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """As many pixels as a square of that side, the aspect kept."""
    height, width = picture.shape[:2]
    scale = side / np.sqrt(height * width)
    size = tuple(int(np.clip(round(length * scale), _MIN_SIDE, side * side // _MIN_SIDE)) for length in (width, height))
    smaller = size[0] * size[1] < height * width
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return np.ascontiguousarray(resized, dtype=np.uint8)


def _detected(grey: NDArray[np.uint8], config: GeometryConfig) -> tuple[Floats, NDArray[np.uint8]]:
    """(k, 4) keypoints in pixels and degrees, and (k, 128) descriptors: those of most response × diameter.

    The response alone prefers the finest, which a blurred or enlarged copy has lost.
    """
    padded = cv2.copyMakeBorder(grey, _PADDING, _PADDING, _PADDING, _PADDING, cv2.BORDER_REPLICATE)
    sift = cv2.SIFT_create(contrastThreshold=config.contrast_threshold)  # type: ignore[attr-defined]
    found = sift.detect(padded, None)
    rows = [(*point.pt, point.size, point.angle, point.response * point.size) for point in found]
    table = np.array(rows, np.float32).reshape(-1, 5)
    table[:, :2] -= _PADDING
    inside = ((table[:, :2] >= -0.5) & (table[:, :2] <= np.array(grey.shape[::-1]) - 0.5)).all(1)
    order = np.lexsort((table[:, 3], table[:, 2], table[:, 1], table[:, 0], -table[:, 4]))
    kept = order[np.asarray(inside)[order]][: config.max_keypoints]
    if not len(kept):
        return np.empty((0, 4), np.float32), np.empty((0, 128), np.uint8)
    _, descriptors = sift.compute(padded, [found[place] for place in kept])
    return table[kept, :4], np.asarray(descriptors, np.uint8)


def features(picture: NDArray[np.uint8], config: GeometryConfig) -> Features:
    """The features of a picture, uint8 (height, width, 3), RGB; a flat one has no keypoints."""
    height, width = picture.shape[:2]
    unit = np.sqrt(height * width)
    grey = cv2.cvtColor(_resized(picture, config.working_side), cv2.COLOR_RGB2GRAY)
    table, descriptors = _detected(np.asarray(grey, np.uint8), config)
    keypoints = np.empty((len(table), 4), np.float32)
    keypoints[:, :2] = (table[:, :2] + 0.5) / np.array(grey.shape[::-1], np.float32) * np.array([width, height]) / unit
    keypoints[:, 2] = table[:, 2] / config.working_side
    keypoints[:, 3] = np.deg2rad(table[:, 3])
    return Features(
        keypoints=keypoints,
        descriptors=descriptors,
        picture=_resized(picture, config.residual_side),
        width=float(width / unit),
    )
