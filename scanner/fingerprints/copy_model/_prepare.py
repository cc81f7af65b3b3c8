"""A picture as a copy-detection network takes it, as the README of SSCD documents it.

https://github.com/facebookresearch/sscd-copy-detection#preprocessing: either the whole picture squeezed to a square of
320 pixels ("directly resizing to the target tensor size", skew), or its shorter edge brought to 288 pixels (small);
then ImageNet's mean and deviation. Resizing is bilinear over the area that a pixel covers, as torchvision resizes PIL
images.

Where it differs: `small-288` squeezes a picture of more than 4 : 1 to 4 : 1. One of 1 : 1,000 would become 83 million
numbers otherwise.

>>> prepared(np.zeros((60, 90, 3), np.uint8), "small-288").shape
(1, 3, 288, 432)
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's pixels on 0 to 1, RGB: what SSCD was trained with (the README above)."""
_SQUARE, _SHORTER = 320, 288
_MOST_ASPECT = 4

PREPROCESSINGS: Mapping[str, str] = {
    "skew-320": "the whole picture is squeezed to 320 × 320 pixels",
    "small-288": "its shorter edge is brought to 288 pixels, the aspect kept",
}
"""The two that the README of SSCD recommends. Both take about as long a picture."""


def prepared(picture: NDArray[np.uint8], how: str, fixed: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """A picture (uint8, h × w × 3, RGB) as (1, 3, height, width) float32; `fixed` (height, width) overrides `how`."""
    rows, columns = picture.shape[:2]
    height, width = fixed or _size(rows, columns, how)
    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    scaled = (np.asarray(resized, np.float32) / np.float32(255) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def _size(rows: int, columns: int, how: str) -> tuple[int, int]:
    if how == "skew-320":
        return _SQUARE, _SQUARE
    longer = int(_SHORTER * min(max(rows, columns) / min(rows, columns), _MOST_ASPECT))
    return (longer, _SHORTER) if rows > columns else (_SHORTER, longer)
