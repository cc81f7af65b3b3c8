"""Families of pictures that resemble each other and are not copies: a duplicate search must merge none of them.

>>> sorted({family for family, _ in look_alikes()})
['cards', 'clocks', 'figures', 'flags', 'letters', 'products']
"""

import string
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 200
_SCALE = 3
_PAPER, _INK = (250, 248, 244), (25, 25, 30)
_RED, _GREEN, _BLUE, _YELLOW, _WHITE = (200, 30, 40), (20, 130, 70), (25, 60, 160), (240, 200, 40), (255, 255, 255)
Colour = tuple[int, int, int]


class _Sheet:
    """A canvas drawn three times as large as it is given back, so that edges are smooth."""

    def __init__(self, ground: Colour = _PAPER, height: int = SIDE) -> None:
        self._size = (SIDE, height)
        self._image = Image.new("RGB", (SIDE * _SCALE, height * _SCALE), ground)
        self._draw = ImageDraw.Draw(self._image)

    def _scaled(self, *values: float) -> list[float]:
        return [value * _SCALE for value in values]

    def box(
        self, at: tuple[float, float, float, float], fill: Colour | None, edge: float = 0, round_: float = 0
    ) -> None:
        self._draw.rounded_rectangle(self._scaled(*at), round_ * _SCALE, fill, _INK, round(edge * _SCALE))

    def disc(self, x: float, y: float, radius: float, fill: Colour | None, edge: float = 0) -> None:
        corners = self._scaled(x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse(corners, fill, _INK, round(edge * _SCALE))

    def spot(self, x: float, y: float, radius: float, fill: Colour) -> None:
        self._draw.ellipse(self._scaled(x - radius, y - radius, x + radius, y + radius), fill)

    def line(self, points: list[float], width: float, colour: Colour = _INK) -> None:
        self._draw.line(self._scaled(*points), colour, round(width * _SCALE), joint="curve")

    def shape(self, points: list[float], fill: Colour) -> None:
        self._draw.polygon(self._scaled(*points), fill)

    def star(self, x: float, y: float, radius: float, fill: Colour, tips: int = 5) -> None:
        turns = np.arange(2 * tips) * np.pi / tips - np.pi / 2
        far = np.where(np.arange(2 * tips) % 2, 0.42, 1) * radius
        self.shape(np.stack([x + far * np.cos(turns), y + far * np.sin(turns)], axis=1).ravel().tolist(), fill)

    def text(self, x: float, y: float, words: str, size: float, fill: Colour = _INK) -> None:
        self._draw.text((x * _SCALE, y * _SCALE), words, fill, ImageFont.load_default(size * _SCALE), anchor="mm")

    def pixels(self) -> NDArray[np.uint8]:
        return np.asarray(self._image.resize(self._size, Image.Resampling.LANCZOS))


def _letters() -> Iterator[_Sheet]:
    for letter in string.ascii_uppercase:
        sheet = _Sheet()
        sheet.box((12, 12, 188, 188), (210, 225, 245), 6, 18)
        sheet.box((26, 26, 174, 174), None, 2, 10)
        sheet.text(100, 100, letter, 110)
        yield sheet


def _flags() -> Iterator[_Sheet]:
    colours = (_RED, _GREEN, _BLUE, _YELLOW, _WHITE, _INK)
    stripes = [(0, 4, 1), (1, 4, 0), (2, 4, 0), (0, 4, 2), (5, 0, 3), (1, 3, 0), (0, 3, 1), (2, 3, 0), (5, 4, 0)]
    for upright in (False, True):
        for chosen in stripes:
            if upright and chosen[::-1] in stripes[: stripes.index(chosen)]:
                continue  # the mirror image of one that is there, and so a copy of it
            sheet = _Sheet(height=130)
            for i, colour in enumerate(chosen):
                near, far = (i * 60 + 10, i * 60 + 70) if upright else (i * 40 + 5, i * 40 + 45)
                sheet.box((near, 5, far, 125) if upright else (10, near, 190, far), colours[colour])
            sheet.box((10, 5, 190, 125), None, 1)
            yield sheet
    for stars in range(1, 8):
        sheet = _Sheet(height=130)
        sheet.box((10, 5, 190, 125), _RED, 1)
        sheet.box((10, 5, 90, 65), _BLUE)
        for star in range(stars):
            sheet.star(24 + 18 * (star % 4), 22 + 24 * (star // 4), 8, _WHITE)
        yield sheet


def _clocks() -> Iterator[_Sheet]:
    for hour, minute in [(h, m) for h in (1, 3, 4, 7, 10, 12) for m in (0, 20, 45)]:
        sheet = _Sheet()
        sheet.disc(100, 100, 90, (180, 140, 80), 3)
        sheet.disc(100, 100, 76, _WHITE, 2)
        for mark in range(12):
            turn = mark * np.pi / 6
            sheet.text(100 + 63 * np.sin(turn), 100 - 63 * np.cos(turn), str(mark or 12), 14)
        for turn, length, width in ((hour / 12 + minute / 720, 36, 6), (minute / 60, 56, 4)):
            sheet.line(
                [100, 100, 100 + length * np.sin(2 * np.pi * turn), 100 - length * np.cos(2 * np.pi * turn)], width
            )
        sheet.disc(100, 100, 5, _INK)
        yield sheet


def _mark(sheet: _Sheet, kind: int, x: float, y: float) -> None:
    """One of ten simple signs about a point."""
    size = 17.0
    left, right, above, below = x - size, x + size, y - size, y + size
    if kind < 2:
        sheet.line([left, y, right, y], size / 2)
    if kind == 1:
        sheet.line([x, above, x, below], size / 2)
    elif kind in range(2, 7):
        sheet.text(x, y, "?!P7&"[kind - 2], 2.4 * size)
    elif kind == 7:
        sheet.shape([left, below, right, below, x, above], _INK)
    elif kind == 8:
        sheet.disc(x, y, size, None, size / 2.5)
    elif kind == 9:
        sheet.star(x, y, 1.2 * size, _INK)


def _figures() -> Iterator[_Sheet]:
    for kind in range(10):
        sheet = _Sheet()
        sheet.disc(65, 40, 20, (235, 195, 160), 2)
        sheet.shape([45, 62, 85, 62, 92, 130, 38, 130], _BLUE)
        sheet.line([50, 130, 46, 188], 12)
        sheet.line([80, 130, 84, 188], 12)
        sheet.line([82, 70, 120, 88], 9, _BLUE)
        sheet.line([48, 70, 28, 112], 9, _BLUE)
        sheet.line([122, 40, 122, 190], 5, (120, 80, 40))
        sheet.box((112, 20, 188, 88), _YELLOW, 2, 4)
        _mark(sheet, kind, 150, 54)
        yield sheet


def _suit(sheet: _Sheet, suit: int, x: float, y: float, size: float) -> None:
    colour = _RED if suit < 2 else _INK
    if suit == 0:
        sheet.shape([x, y - size, x + 0.75 * size, y, x, y + size, x - 0.75 * size, y], colour)
        return
    if suit == 3:
        for dx, dy in ((0, -0.5), (-0.5, 0.2), (0.5, 0.2)):
            sheet.spot(x + dx * size, y + dy * size, 0.48 * size, colour)
    else:
        turn = -1 if suit == 1 else 1
        for dx in (-0.42, 0.42):
            sheet.spot(x + dx * size, y + 0.3 * turn * size, 0.5 * size, colour)
        tip = [x - 0.9 * size, y + 0.45 * turn * size, x + 0.9 * size, y + 0.45 * turn * size, x, y - turn * size]
        sheet.shape(tip, colour)
    if suit > 1:
        sheet.shape([x, y, x + 0.35 * size, y + size, x - 0.35 * size, y + size], colour)


_PIPS = {
    2: [(0, -1), (0, 1)],
    3: [(0, -1), (0, 0), (0, 1)],
    4: [(-1, -1), (1, -1), (-1, 1), (1, 1)],
    5: [(-1, -1), (1, -1), (-1, 1), (1, 1), (0, 0)],
    6: [(-1, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (1, 1)],
    7: [(-1, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (1, 1), (0, -0.5)],
    8: [(-1, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (1, 1), (0, -0.5), (0, 0.5)],
}


def _cards() -> Iterator[_Sheet]:
    for suit in range(4):
        for value, pips in _PIPS.items():
            sheet = _Sheet((60, 110, 80), height=270)
            sheet.box((12, 12, 188, 258), _WHITE, 2, 14)
            for x, y in ((30, 32), (170, 238)):
                sheet.text(x, y, str(value), 24, _RED if suit < 2 else _INK)
                _suit(sheet, suit, x, y + (22 if y < 100 else -22), 7)
            for across, down in pips:
                _suit(sheet, suit, 100 + 34 * across, 135 + 76 * down, 17)
            yield sheet


def _logo(sheet: _Sheet, x: float, y: float, size: float) -> None:
    sheet.disc(x, y, size, _RED, size / 12)
    sheet.star(x, y, 0.75 * size, _YELLOW, 6)
    sheet.text(x, y, "ACME", 0.55 * size)


def _product(sheet: _Sheet, kind: int, colour: Colour) -> None:
    """A mug, a shirt, a bag, a box, a bottle or a cap."""
    if kind == 0:
        sheet.disc(160, 100, 26, None, 9)
        sheet.box((45, 40, 155, 172), colour, 2, 10)
    elif kind == 1:
        sheet.shape([60, 25, 140, 25, 192, 65, 170, 95, 150, 80, 150, 188, 50, 188, 50, 80, 30, 95, 8, 65], colour)
    elif kind == 2:
        sheet.line([70, 60, 75, 15, 125, 15, 130, 60], 5)
        sheet.shape([40, 58, 160, 58, 175, 190, 25, 190], colour)
    elif kind == 3:
        sheet.box((25, 45, 175, 185), colour, 2)
        sheet.line([25, 60, 175, 60], 2)
    elif kind == 4:
        sheet.box((82, 8, 118, 60), colour, 2, 5)
        sheet.box((55, 48, 145, 195), colour, 2, 24)
    else:
        sheet.disc(100, 105, 72, colour, 2)
        sheet.box((10, 145, 190, 178), colour, 2, 15)


def _products() -> Iterator[_Sheet]:
    """Six products with one emblem at the same place and in the same size."""
    colours = ((70, 110, 160), (170, 185, 205), (190, 160, 110), (150, 110, 70), (60, 120, 90), (45, 50, 70))
    for kind, colour in enumerate(colours):
        sheet = _Sheet(((225, 230, 235), (240, 235, 225))[kind % 2])
        _product(sheet, kind, colour)
        _logo(sheet, 100, 108, 36)
        yield sheet


_FAMILIES = {
    "letters": _letters,
    "flags": _flags,
    "clocks": _clocks,
    "figures": _figures,
    "cards": _cards,
    "products": _products,
}


def look_alikes() -> list[tuple[str, NDArray[np.uint8]]]:
    """Every picture `(height, 200, 3)` uint8 with its family's name; no two show the same."""
    return [(family, sheet.pixels()) for family, draw in _FAMILIES.items() for sheet in draw()]
