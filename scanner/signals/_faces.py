"""Upright frontal faces, by the Haar cascade that ships with OpenCV (Viola and Jones 2001; Lienhart and Maydt 2002).

An old detector: it needs no weights from elsewhere, misses turned, covered and small faces, and takes some patterns for
faces. Of the first 700 of the demo's pictures of clip art 3 had a detection at these settings (`alt2`, 8 neighbours),
14 at 5 neighbours, and 29 with the `default` cascade at 8; the one photograph of a person at hand (matplotlib's) was
found. Its recall on photographs was not measured. About 50 ms a picture. So: a signal where a data set has none of its
own, and no count to rely on.

    >>> FaceDetector()(decode(Path("photo.jpg").read_bytes()))                   # doctest: +SKIP
    [(0.36, 0.13, 0.66, 0.54)]
"""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.signals._signal import Signal, said

CASCADE = "haarcascade_frontalface_alt2.xml"
SOURCE = "detector haarcascade_frontalface_alt2 (OpenCV)"
SIDE = 512
"""Pixels of the longer side at which a picture is looked at."""
_SCALE, _NEIGHBOURS, _SMALLEST = 1.1, 8, 26
"""Step of the window's size, detections that must agree, and the smallest window: 5 % of the longer side."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as shares of width and height, 0 to 1, as DataComp's face_bboxes."""


class FaceDetector:
    """A loaded cascade."""

    def __init__(self) -> None:
        """Raises UnusableInputError where this OpenCV ships no cascades."""
        file = Path(getattr(getattr(cv2, "data", None), "haarcascades", "")) / CASCADE
        if not file.is_file():
            raise UnusableInputError(
                "--faces needs the Haar cascades of OpenCV 4, which the installed one does not ship; install "
                "opencv-python-headless below 5."
            )
        self._cascade = cv2.CascadeClassifier(str(file))

    def __call__(self, picture: NDArray[np.uint8]) -> list[Box]:
        """Boxes of the faces in a picture, uint8 (height, width, 3) RGB; in the order of left, top."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        scale = SIDE / max(grey.shape)
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        found = self._cascade.detectMultiScale(
            cv2.equalizeHist(small), _SCALE, _NEIGHBOURS, minSize=(_SMALLEST, _SMALLEST)
        )
        width, height = size
        boxes = [tuple(float(x) for x in box) for box in found]
        return sorted((x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h in boxes)


def faces_signal(boxes: Sequence[Box]) -> Signal:
    """The detection as a signal: their number, also 0, and their boxes."""
    detail = json.dumps([[round(x, 4) for x in box] for box in boxes]) if boxes else None
    signal = said("faces", SOURCE, len(boxes), detail)
    assert signal is not None, "a number says something"
    return signal
