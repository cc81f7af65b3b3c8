"""Which crop window of one thumbnail shows what another thumbnail shows.

Two thumbnails of the same picture, one of them cropped, differ by a shift and a scale along each axis. A coarse
search (8 × 8 grey, 54 windows, both directions) gives starting points, the best of them is found at 16 × 16, and two
Gauss-Newton steps (Lucas and Kanade 1981, https://www.ijcai.org/Proceedings/81-2/Papers/017.pdf) on the 32 × 32 grey
thumbnail settle it to a fraction of a pixel. On clip art cropped to 90 % this found 92 % of the copies where the best
of 189 fixed windows found 88 % under the same thresholds, at a fifth of the time.

    >>> import numpy as np
    >>> wide = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32).cumsum(2).cumsum(3) % 40 / 40
    >>> narrow = on_window(wide, np.array([[0.1, 0.0, 0.9, 0.9]], np.float32))
    >>> align(narrow, wide, min_crop=0.8).window.round(1)
    array([[0.1, 0. , 0.9, 0.9]], dtype=float32)
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Side of a thumbnail, pixels."""
_COARSE, _MIDDLE = 8, 16
_STEPS = 5
"""Window sizes, from the whole picture (left out: it fits both directions alike) down; the i-th stands at i² places."""
_KEPT = 8
"""Coarse windows of each direction that are compared again at 16 × 16."""
_REFINEMENTS = 2
"""Gauss-Newton steps; a third gained less than 0.1 % of the crops."""
_DAMPING = 1e-3
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_CENTRES = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """The best window of each of p pairs; top, left, height, width on 0 to 1."""

    window: Floats
    """(p, 4): the part of the wider picture that the narrower one shows."""
    swapped: NDArray[np.bool_]
    """(p,): True where the window lies in the pair's first picture, False where in the second."""
    correlation: Floats
    """(p,): of the 16 × 16 grey thumbnails on the best coarse window, −1 to 1."""


def resampler(start: Floats, size: Floats, side: int = SIDE) -> Floats:
    """(p, side, side) matrices that read the window [start, start + size] of an axis by linear interpolation."""
    centres = (np.arange(side, dtype=np.float32) + 0.5) / side
    places = np.clip((start[:, None] + size[:, None] * centres) * side - 0.5, 0, side - 1)
    weights: Floats = np.maximum(0, 1 - np.abs(places[:, :, None] - np.arange(side, dtype=np.float32)))
    return weights


def on_window(pictures: Floats, window: Floats) -> Floats:
    """(p, ..., 32, 32) pictures cut to their windows (p, 4), as large as before."""
    extra = (slice(None), *(None,) * (pictures.ndim - 3))
    rows = resampler(window[:, 0], window[:, 2])[extra]
    columns = resampler(window[:, 1], window[:, 3]).transpose(0, 2, 1)[extra]
    return (rows @ pictures @ columns).astype(np.float32, copy=False)


def gradients(pictures: Floats) -> tuple[Floats, Floats]:
    """Central differences along rows and along columns, one-sided at the border."""
    down, across = np.empty_like(pictures), np.empty_like(pictures)
    down[..., 1:-1, :] = (pictures[..., 2:, :] - pictures[..., :-2, :]) / 2
    down[..., 0, :] = pictures[..., 1, :] - pictures[..., 0, :]
    down[..., -1, :] = pictures[..., -1, :] - pictures[..., -2, :]
    across[..., 1:-1] = (pictures[..., 2:] - pictures[..., :-2]) / 2
    across[..., 0] = pictures[..., 1] - pictures[..., 0]
    across[..., -1] = pictures[..., -1] - pictures[..., -2]
    return down, across


@cache
def _coarse_windows(min_crop: float) -> tuple[Floats, Floats]:
    """Windows (k, 4), and the (64, k × 64) matrix that cuts all of them out of an 8 × 8 picture."""
    windows = [
        (top, left, size, size)
        for places, size in list(enumerate(np.linspace(1, min_crop, _STEPS), start=1))[1:]
        for top in np.linspace(0, 1 - size, places)
        for left in np.linspace(0, 1 - size, places)
    ]
    table = np.array(windows, np.float32)
    rows, columns = resampler(table[:, 0], table[:, 2], _COARSE), resampler(table[:, 1], table[:, 3], _COARSE)
    cutters = np.einsum("kap,kbq->pqkab", rows, columns)
    return table, np.ascontiguousarray(cutters.reshape(_COARSE**2, -1))


def _shrunk(grey: Floats, side: int) -> Floats:
    step = SIDE // side
    shrunk: Floats = grey.reshape(len(grey), side, step, side, step).mean((2, 4))
    return shrunk


def _unit(vectors: Floats) -> Floats:
    """Mean 0 and length 1 along the last axis; a flat vector stays (nearly) zero."""
    centred = vectors - vectors.mean(-1, keepdims=True)
    unit: Floats = centred / np.maximum(np.sqrt((centred * centred).sum(-1, keepdims=True)), 1e-3)
    return unit


def _coarse(narrow: Floats, wide: Floats, cutters: Floats) -> NDArray[np.intp]:
    """(p, kept) windows of `wide` in which an 8 × 8 `narrow` is found best."""
    pixels = _COARSE**2
    cut = (wide.reshape(-1, pixels) @ cutters).reshape(len(wide), -1, pixels)
    agreement = (cut @ _unit(narrow.reshape(-1, pixels))[:, :, None])[..., 0]
    mean = cut.mean(2)
    spread = np.einsum("pkc,pkc->pk", cut, cut) - pixels * mean * mean
    correlation = agreement / np.sqrt(np.maximum(spread, 1e-4))
    return np.argpartition(-correlation, _KEPT - 1, axis=1)[:, :_KEPT]


def _middle(narrow: Floats, wide: Floats, windows: Floats) -> Floats:
    """(p, kept) correlations of the 16 × 16 thumbnails on each of the windows (p, kept, 4)."""
    pairs, kept = windows.shape[:2]
    flat = windows.reshape(-1, 4)
    rows = resampler(flat[:, 0], flat[:, 2], _MIDDLE)
    columns = resampler(flat[:, 1], flat[:, 3], _MIDDLE).transpose(0, 2, 1)
    cut = rows @ np.repeat(wide, kept, axis=0) @ columns
    found = _unit(cut.reshape(pairs, kept, -1))
    correlation: Floats = (found @ _unit(narrow.reshape(pairs, -1))[:, :, None])[..., 0]
    return correlation


def _clamped(window: Floats, min_crop: float) -> Floats:
    size = np.clip(window[:, 2:], min_crop - 0.02, 1)
    return np.concatenate([np.clip(window[:, :2], 0, 1 - size), size], axis=1)


def _refined(narrow: Floats, wide: Floats, window: Floats, min_crop: float) -> Floats:
    """One Gauss-Newton step on the four numbers of the window; grey (p, 32, 32), `narrow` of unit length."""
    pairs = len(narrow)
    cut = on_window(wide, window).reshape(pairs, -1)
    centred = cut - cut.mean(1, keepdims=True)
    scale = 1 / np.maximum(np.sqrt((centred * centred).sum(1, keepdims=True)), 1e-3)
    missing = narrow.reshape(pairs, -1) - centred * scale
    down, across = gradients((centred * scale).reshape(pairs, SIDE, SIDE))
    down *= (SIDE / window[:, 2])[:, None, None]
    across *= (SIDE / window[:, 3])[:, None, None]
    slopes = np.stack([down, across, down * _CENTRES[:, None], across * _CENTRES], axis=1).reshape(pairs, 4, -1)
    normal = slopes @ slopes.transpose(0, 2, 1)
    normal += np.eye(4, dtype=np.float32) * (_DAMPING * np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-6)
    step = np.linalg.solve(normal, slopes @ missing[:, :, None])[..., 0]
    return _clamped(window + step, min_crop)


def align(first: Floats, second: Floats, *, min_crop: float, hopeless: float = -1) -> Alignment:
    """Find, for each pair of (p, 3, 32, 32) thumbnails, the window of one that shows what the other shows.

    Windows are as small as `min_crop` of the side. The direction and the window are those of the largest correlation;
    a window whose correlation is below `hopeless` is left where the coarse search found it.
    """
    windows, cutters = _coarse_windows(min_crop)
    grey = [np.einsum("pcyx,c->pyx", picture, _LUMINANCE) for picture in (first, second)]
    coarse, middle = ([_shrunk(picture, side) for picture in grey] for side in (_COARSE, _MIDDLE))
    kept = [_coarse(coarse[one], coarse[1 - one], cutters) for one in (0, 1)]
    found = [_middle(middle[one], middle[1 - one], windows[kept[one]]) for one in (0, 1)]
    swapped = found[1].max(1) > found[0].max(1)
    pairs = np.arange(len(first))
    best = np.where(swapped, kept[1][pairs, found[1].argmax(1)], kept[0][pairs, found[0].argmax(1)])
    window = windows[best]
    correlation = np.maximum(found[0].max(1), found[1].max(1))
    hope = np.flatnonzero(correlation >= hopeless)
    turned = swapped[hope, None, None]
    narrow, wide = (np.where(turned, grey[1 - one][hope], grey[one][hope]) for one in (0, 1))
    narrow = _unit(narrow.reshape(len(hope), SIDE**2))
    for _ in range(_REFINEMENTS if len(hope) else 0):
        window[hope] = _refined(narrow, wide, window[hope], min_crop)
    return Alignment(window=window, swapped=swapped, correlation=correlation)
