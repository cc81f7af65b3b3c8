"""Does the overlap of two pictures show one picture?

As in the thumbnail look, but on pixels that lie on each other, with what edits do to a picture taken off first:

- *brightness*: the darker is brightened by the factor that fits best, white staying white;
- *blur, re-encoding, enlarging*: the sharper is blurred until its gradients are no stronger than the other's;
- *grey*: where one picture is grey and the other is not, luminance is compared, without levelling and under tighter
  limits: a drawing and its coloured version differ in nothing else;
- *an overlay*: one line of half-transparent writing in black or white, as a watermark is, and only where the geometry
  is firm. For each pixel, the opacity in 0 to `max_opacity` that explains best what the other picture has there. Three
  channels follow from one opacity, so a change of colour isn't explained, nor is a difference that is darker here and
  lighter there, nor opaque drawing. It must look like a line of writing, since thin opaque lines (the rim of a clock,
  the frame of a card) can't be told from half-transparent ones at this size: without that, 100 pairs of different
  pictures of openclipart passed, among them clocks with and without a rim.

What is left is compared at mean 0 and deviation 0.25: `distance` is the mean absolute difference, `worst_block` the
largest over blocks of mean |difference of the worst channel| / (0.4 + mean contrast of the block). What a copy's
residual is, lies along all its edges; a look-alike's sits in one place: the limit of the worst block grows with the
distance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from scanner.duplicates.geometry._config import GeometryConfig
from scanner.duplicates.geometry._overlap import LUMINANCE, Floats, Mask, Overlap, filtered, slopes

NOTHING = 2.0
"""Distance and worst block where there is nothing to compare."""
_BLOCK = 7
_FULL = 0.6
"""Share of a block that must lie in the overlap."""
_DEVIATION = 0.25
_CONTRAST_FLOOR = 0.4
_SATURATED = 0.98
_FACTORS = (0.75, 1.33)
_SHARPER = 1.25
"""Ratio of mean squared gradients above which the sharper picture is blurred, with the filters below."""
_FILTERS = (0.5, 0.7, 0.9, 1.2, 1.6)
_MATCHED = 1.1
_RIM = 2
"""Pixels left out along the edge of the overlap."""
_GREY = 0.06
"""Largest difference of a pixel's channels in a grey picture (0 to 1)."""
_FAINT, _VISIBLE = 0.08, 0.15
"""Opacity below which there is no overlay, and from which a pixel counts to its area."""
_MIN_INK = 12
"""Pixels that an overlay has at least."""
_WORTH_TRYING = 0.2
"""Distance above which no overlay is looked for."""


@dataclass(frozen=True, kw_only=True)
class Residual:
    """What is left of two pictures' difference."""

    distance: float
    """Mean absolute difference at mean 0 and deviation 0.25."""
    worst_block: float
    """Largest difference of a block relative to its contrast."""
    accepted: bool
    """Both within their limits."""


def _largest(picture: Floats) -> Floats:
    """(..., channels) → (...): of the channels; numpy's own maximum is slow along so short an axis."""
    largest: Floats = picture[..., 0]
    for channel in range(1, picture.shape[-1]):
        largest = np.maximum(largest, picture[..., channel])
    return largest


def is_grey(pixels: Floats) -> bool:
    """Whether pixels (n, 3) have no colour."""
    return bool((_largest(pixels) + _largest(-pixels)).max() <= _GREY)


def _equally_bright(first: Floats, second: Floats, inside: Mask) -> tuple[Floats, Floats]:
    usable = inside & (_largest(np.maximum(first, second)) < _SATURATED)
    power = [float((picture[usable] ** 2).sum()) for picture in (first, second)]
    factor = float(np.clip(np.sqrt(power[1] / power[0]), *_FACTORS)) if min(power) > 1 else 1.0
    lifted = first * np.float32(max(factor, 1.0)), second * np.float32(max(1 / factor, 1.0))
    return np.minimum(lifted[0], 1), np.minimum(lifted[1], 1)


def _sharpness(picture: Floats, inside: Mask) -> float:
    across, down = slopes(picture)
    power = np.mean(cv2.mean(across * across + down * down, mask=inside.view(np.uint8))[: picture.shape[2]])
    return float(power)


def _equally_sharp(first: Floats, second: Floats, inside: Mask) -> tuple[Floats, Floats]:
    one, two = _sharpness(first, inside), _sharpness(second, inside)
    if max(one, two) <= _SHARPER * min(one, two):
        return first, second
    sharper = first if one > two else second
    for deviation in _FILTERS:
        blurred = filtered(sharper, deviation)
        if _sharpness(blurred, inside) <= _MATCHED * min(one, two):
            break
    return (blurred, second) if one > two else (first, blurred)


def _scaled(picture: Floats, inside: Mask) -> tuple[float, float, float]:
    """Mean, the factor to deviation 0.25 (as in the thumbnail look), and the deviation inside the channels."""
    means, deviations = cv2.meanStdDev(picture, mask=inside.view(np.uint8))
    within = float((deviations**2).mean())
    whole = within + float(means.var())
    return float(means.mean()), 2 * _DEVIATION / max(np.sqrt(whole) + np.sqrt(within), 1e-3), float(np.sqrt(within))


def _contrast(picture: Floats) -> Floats:
    across, down = slopes(picture)
    return np.abs(across) + np.abs(down)


def _blocks(values: Floats, inside: Floats) -> Floats:
    sums = cv2.boxFilter(values * inside, -1, (_BLOCK, _BLOCK), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(sums, np.float32)


def _compared(first: Floats, second: Floats, inside: Mask, *, level: bool, floor: float) -> tuple[float, float]:
    """Distance and worst block of pictures (h, w, channels)."""
    one, two = _equally_sharp(*_equally_bright(first, second, inside), inside)
    (mean, scale, within), (other_mean, other_scale, other_within) = (_scaled(side, inside) for side in (one, two))
    if min(within, other_within) < floor:
        return NOTHING, NOTHING
    if not level:
        mean, other_mean = 0, 0
        scale = other_scale = float(np.sqrt(scale * other_scale))
    one, two = (one - np.float32(mean)) * np.float32(scale), (two - np.float32(other_mean)) * np.float32(other_scale)
    contrast = _largest(np.maximum(_contrast(one), _contrast(two)))
    difference = np.abs(filtered(one - two, 0.85))
    weight = inside.astype(np.float32)
    count = _blocks(np.ones_like(weight), weight)
    full = count >= _FULL * _BLOCK**2
    if not full.any():
        return NOTHING, NOTHING
    count = np.maximum(count, 1)
    relative = _blocks(_largest(difference), weight) / count / (_CONTRAST_FLOOR + _blocks(contrast, weight) / count)
    return float(difference[inside].mean()), float(relative[full].max())


def _is_line(visible: Mask, spanned: int, config: GeometryConfig) -> bool:
    """Whether what is laid over is one line of writing from side to side: as wide as most of the overlap, and flat."""
    rows, columns = np.nonzero(visible)
    if len(rows) < _MIN_INK:
        return False
    height, width = (float(np.subtract(*np.quantile(places, (0.95, 0.05)))) + 1 for places in (rows, columns))
    low, high = config.ink_flatness
    return width >= config.min_ink_span * spanned and low * width <= height <= high * width


def _overlaid(overlap: Overlap, inside: Mask, config: GeometryConfig) -> Iterator[tuple[Floats, Floats]]:
    """Either picture under the black or white overlay that explains the other best, with the other."""
    spanned = inside.any(0).sum()
    for plain, marked in ((overlap.first, overlap.second), (overlap.second, overlap.first)):
        for ink in (0.0, 1.0):
            towards = np.float32(ink) - plain
            power = np.maximum(np.einsum("yxc,yxc->yx", towards, towards), np.float32(1e-3))
            opacity = np.clip(np.einsum("yxc,yxc->yx", marked - plain, towards) / power, 0, config.max_opacity)
            opacity[opacity < _FAINT] = 0
            visible = (opacity > _VISIBLE) & inside
            if _is_line(visible, spanned, config) and visible.sum() <= config.max_ink_area * inside.sum():
                yield plain + opacity[:, :, None] * towards, marked


def _core(inside: Mask) -> Mask:
    """Without the rim, where what lies beside the overlap (a frame) has been mixed in; the picture's own edge stays."""
    kernel = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    core = cv2.erode(inside.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(core, np.uint8).view(np.bool_)


def residual(overlap: Overlap, config: GeometryConfig, inliers: int) -> Residual:
    """What is left of the difference over the overlap, on which so many inliers agree."""
    inside = _core(overlap.inside)
    if not inside.any():
        return Residual(distance=NOTHING, worst_block=NOTHING, accepted=False)
    pictures = overlap.first, overlap.second
    if is_grey(pictures[0][inside]) != is_grey(pictures[1][inside]):
        first, second = ((side @ LUMINANCE)[:, :, None] for side in pictures)
        distance, worst = _compared(first, second, inside, level=False, floor=config.min_deviation)
        within = distance <= config.max_grey_distance and worst <= config.max_grey_block
        return Residual(distance=distance, worst_block=worst, accepted=within)
    distance, worst = _compared(*pictures, inside, level=True, floor=config.min_deviation)
    firm = inliers >= config.firm_inliers
    cap = config.max_worst_block if firm else config.max_loose_block
    spread = config.block_base + config.block_slope * distance
    accepted = distance <= config.max_distance and worst <= min(cap, spread)
    if not accepted and firm and distance <= _WORTH_TRYING:
        for plain, marked in _overlaid(overlap, inside, config):
            left, left_worst = _compared(plain, marked, inside, level=True, floor=config.min_deviation)
            if left <= config.max_distance and left_worst <= config.max_ink_block:
                return Residual(distance=left, worst_block=left_worst, accepted=True)
    return Residual(distance=distance, worst_block=worst, accepted=accepted)
