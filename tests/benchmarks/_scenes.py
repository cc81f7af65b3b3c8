"""Made scenes with the statistics of photographs: 1/f textures, shading, occlusion, perspective, blur and noise.

Photographs cannot be shipped with every benchmark; these stand in for them. What matters to a duplicate search is kept:
amplitude falls with frequency, edges and corners are many and of all sizes, most of the contrast is brightness,
and no two are of one layout.

    >>> scene(np.random.default_rng(0), 0).shape[2]
    3
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

Field = NDArray[np.float64]
Rng = np.random.Generator
Look = Callable[[Rng, int, int], Field]


def texture(rng: Rng, height: int, width: int, slope: float = 1.2, stretch: float = 1.0) -> Field:
    """A random field `(height, width)` of mean 0 and deviation 1 whose amplitude falls as frequency^-slope."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * stretch, np.fft.rfftfreq(width)[None])
    noise = rng.standard_normal(frequency.shape) + 1j * rng.standard_normal(frequency.shape)
    field = np.fft.irfft2(noise / np.maximum(frequency, 1 / max(width, height)) ** slope, s=(height, width))
    return np.asarray((field - field.mean()) / field.std())


def hue(rng: Rng, saturation: float = 0.5) -> Field:
    """A colour `(3,)` of [0, 1], mostly muted."""
    colour = rng.uniform(0.1, 0.9) + saturation * rng.uniform(-0.5, 0.5, 3)
    return np.asarray(np.clip(colour, 0.03, 0.97))


def grid(height: int, width: int) -> tuple[Field, Field]:
    """Coordinates in units of the shorter side, rows and columns."""
    rows, columns = np.mgrid[:height, :width] / min(height, width)
    return rows, columns


def painted(ground: Field, mask: Field, colour: Field) -> Field:
    """The ground with a colour `(3,)` or picture laid over it where the mask of [0, 1] says."""
    return ground * (1 - mask[..., None]) + colour * mask[..., None]


def skyline(rng: Rng, width: int, level: float, height: float, slope: float) -> Field:
    """A fractal line `(width,)` about a level, as a share of the picture's height."""
    line = texture(rng, 2, 2 * width, slope)[0, :width]
    return level + height * line


def sky(rng: Rng, height: int, width: int) -> Field:
    """A gradient with clouds of a random cover."""
    top, bottom = hue(rng, 0.6), np.clip(hue(rng, 0.3) + 0.3, 0, 1)
    fall = np.linspace(0, 1, height)[:, None, None] ** rng.uniform(0.5, 1.5)
    ground = top * (1 - fall) + bottom * fall + np.zeros((height, width, 1))
    clouds = 1 / (1 + np.exp(-rng.uniform(2, 6) * (texture(rng, height, width, 1.6, 2) - rng.uniform(-0.5, 1.5))))
    return painted(ground, rng.uniform(0.4, 0.95) * clouds, np.clip(np.full(3, rng.uniform(0.6, 1)), 0, 1))


def landscape(rng: Rng, height: int, width: int) -> Field:
    """Ridges one behind the other under a sky, textured ground in front, trees or poles on it."""
    picture = sky(rng, height, width)
    rows = np.arange(height)[:, None] / height
    haze, ground = picture.mean(axis=(0, 1)), hue(rng)
    ridges = int(rng.integers(2, 6))
    level = rng.uniform(0.25, 0.55)
    for ridge in range(ridges):
        near = (ridge + 1) / ridges
        line = skyline(rng, width, level, rng.uniform(0.02, 0.10), rng.uniform(0.9, 1.6))
        grain = texture(rng, height, width, rng.uniform(0.5, 1.2), rng.uniform(0.5, 2.5))
        colour = haze * (1 - near) + ground * near
        surface = colour * (1 + (0.1 + 0.35 * near) * grain[..., None])
        picture = painted(picture, (rows > line).astype(float), surface)
        level += rng.uniform(0.5, 1.2) * (0.9 - level) / ridges
    for _ in range(int(rng.integers(0, 14))):
        picture = tree(rng, picture)
    return picture


def tree(rng: Rng, picture: Field) -> Field:
    """A trunk with a ragged crown that stands somewhere on the lower half."""
    height, width = picture.shape[:2]
    rows, columns = grid(height, width)
    foot, at = rng.uniform(0.55, 0.95) * rows.max(), rng.uniform(0, columns.max())
    size = rng.uniform(0.05, 0.3) * foot
    trunk = (np.abs(columns - at) < 0.06 * size) & (rows < foot) & (rows > foot - 1.2 * size)
    picture = painted(picture, trunk.astype(float), 0.3 * hue(rng, 0.2))
    far = np.hypot((rows - foot + 1.4 * size) / rng.uniform(0.7, 1.4), columns - at) / size
    ragged = far + 0.2 * texture(rng, height, width, 0.8)
    leaves = hue(rng) * (0.6 + 0.4 * texture(rng, height, width, 0.4)[..., None])
    return painted(picture, (ragged < 0.6).astype(float), leaves)


def lit(rng: Rng, bumps: Field, colour: Field) -> Field:
    """A surface of that colour with those heights, lit from somewhere, `(height, width, 3)`."""
    down, right = np.gradient(bumps)
    normal = np.stack([-down, -right, np.ones_like(bumps)])
    light = np.array([rng.uniform(-1, 0.3), rng.uniform(-1, 1), rng.uniform(0.4, 1)])
    shade = np.tensordot(light / np.linalg.norm(light), normal / np.linalg.norm(normal, axis=0), 1)
    shine = np.clip(shade, 0, 1) ** rng.uniform(15, 60) * rng.uniform(0, 0.6)
    return colour * (0.25 + 0.75 * np.clip(shade, 0, 1))[..., None] + shine[..., None]


def body(rng: Rng, picture: Field, size: float) -> Field:
    """One solid laid into the picture: an ellipsoid, a box or a ragged lump, shaded, marked, with a soft shadow."""
    height, width = picture.shape[:2]
    rows, columns = grid(height, width)
    angle, aspect = rng.uniform(0, np.pi), rng.uniform(0.45, 1)
    rows, columns = rows - rng.uniform(0.1, 0.95) * rows.max(), columns - rng.uniform(0, 1) * columns.max()
    along = (rows * np.cos(angle) + columns * np.sin(angle)) / size
    across = (columns * np.cos(angle) - rows * np.sin(angle)) / (size * aspect)
    power = rng.choice([2.0, 2.0, 3.0, 12.0])
    radius = (np.abs(along) ** power + np.abs(across) ** power) ** (1 / power)
    radius += rng.choice([0, 0, 0.12]) * texture(rng, height, width, 1.3)
    inside = np.clip((1 - radius) * size * min(height, width), 0, 1)
    bumps = 0.6 * size * min(height, width) * np.sqrt(np.clip(1 - radius**2, 0, 1))
    marks = rng.uniform(0, 0.3) * texture(rng, height, width, rng.uniform(0.4, 1.4), rng.uniform(0.4, 2.5))
    stripes = rng.choice([0, 0, 0.4]) * np.sign(np.sin(along * rng.uniform(4, 20) + marks))
    solid = lit(rng, bumps, hue(rng, 0.7)) * (1 + marks + stripes)[..., None]
    shift = (rng.uniform(2, 8), rng.uniform(-8, 8))
    shadow = gaussian_filter(np.roll(inside, np.round(shift).astype(int), (0, 1)), rng.uniform(1, 5))
    return painted(picture * (1 - 0.5 * shadow[..., None]), inside, solid)


def still_life(rng: Rng, height: int, width: int) -> Field:
    """A few large solids and some small ones on a table before a wall."""
    rows = np.arange(height)[:, None] / height
    wall = lit(rng, 2 * texture(rng, height, width, rng.uniform(1.0, 2.0)), hue(rng))
    grain = texture(rng, height, width, rng.uniform(0.6, 1.4), rng.uniform(2, 10))
    table = hue(rng) * (1 + 0.25 * grain)[..., None]
    edge = rng.uniform(0.3, 0.7) + rng.uniform(-0.2, 0.2) * np.linspace(-0.5, 0.5, width)
    picture = painted(gaussian_filter(wall, (1, 1, 0)), (rows > edge).astype(float), table)
    for size in sorted(rng.uniform(0.04, 0.35, int(rng.integers(5, 16))), reverse=True):
        picture = body(rng, picture, size)
    return picture


def quadrangle(canvas: Image.Image, corners: Field, colour: Field) -> None:
    ImageDraw.Draw(canvas).polygon(
        [tuple(map(float, corner)) for corner in corners],
        fill=tuple(int(value) for value in np.clip(255 * colour, 0, 255)),
    )


def facade(rng: Rng, canvas: Image.Image, left: float, right: float, horizon: float) -> None:
    """A house front from left to right in perspective, with rows of windows, each a little different."""
    height = canvas.height
    tall = np.array([rng.uniform(0.15, 0.9), rng.uniform(0.15, 0.9)]) * horizon
    deep = np.array([rng.uniform(0.05, 0.5), rng.uniform(0.05, 0.5)]) * (height - horizon)

    def place(across: float, up: float) -> Field:
        top, bottom = (horizon - tall[0], horizon + deep[0]), (horizon - tall[1], horizon + deep[1])
        column = np.array(top) * (1 - across) + np.array(bottom) * across
        return np.array([left + (right - left) * across, column[0] * up + column[1] * (1 - up)])

    def panel(across: float, up: float, wide: float, high: float, colour: Field) -> None:
        steps = ((0, 0), (wide, 0), (wide, high), (0, high))
        quadrangle(canvas, np.stack([place(across + x, up + y) for x, y in steps]), colour)

    wall, glass = hue(rng, 0.6), hue(rng, 0.4)
    panel(0, 0, 1, 1, wall)
    columns, floors = int(rng.integers(2, 7)), int(rng.integers(2, 8))
    share = rng.uniform(0.35, 0.75, 2)
    for column in range(columns):
        for floor in range(floors):
            across, up = (column + 0.5 - share[0] / 2) / columns, (floor + 0.5 - share[1] / 2) / floors
            panel(across, up, share[0] / columns, share[1] / floors, glass * rng.uniform(0.3, 1.4))
    panel(0, 0.94, 1, 0.06, 0.7 * wall)


def street(rng: Rng, height: int, width: int) -> Field:
    """House fronts in perspective on both sides of a road, wires, and bodies in front."""
    horizon = rng.uniform(0.4, 0.75) * height
    canvas = Image.fromarray(np.clip(255 * sky(rng, height, width), 0, 255).astype(np.uint8))
    road = np.array([[0, horizon], [width, horizon], [width, height], [0, height]])
    quadrangle(canvas, road, hue(rng, 0.2))
    vanishing = rng.uniform(0.2, 0.8) * width
    for _ in range(int(rng.integers(5, 12))):
        middle, half = rng.uniform(0, width), rng.uniform(0.08, 0.25) * width
        facade(rng, canvas, middle - half, middle + half, horizon)
    for edge in rng.uniform(-0.5, 1.5, int(rng.integers(1, 6))) * width:
        strip = np.array([[vanishing, horizon], [edge, height], [edge + rng.uniform(4, 20), height]])
        quadrangle(canvas, strip, hue(rng, 0.2))
    for _ in range(int(rng.integers(0, 5))):
        ends = [(0.0, rng.uniform(0, horizon)), (float(width), rng.uniform(0, horizon))]
        ImageDraw.Draw(canvas).line(ends, fill=(20, 20, 25), width=1)
    picture = np.asarray(canvas) / 255 * (1 + 0.08 * texture(rng, height, width, 0.8)[..., None])
    for size in rng.uniform(0.03, 0.12, int(rng.integers(0, 7))):
        picture = body(rng, picture, size)
    return picture


def foliage(rng: Rng, height: int, width: int) -> Field:
    """Hundreds of leaves, petals or stones over each other, darker below."""
    scale, long = rng.uniform(0.03, 0.14), rng.uniform(1, 4)
    colours = [hue(rng, 0.6) for _ in range(int(rng.integers(1, 5)))]
    canvas = Image.fromarray(np.clip(60 + 30 * texture(rng, height, width), 0, 255).astype(np.uint8)).convert("RGB")
    draw, count = ImageDraw.Draw(canvas), int(3.5 / scale**2 / 3)
    turn = np.linspace(0, 2 * np.pi, 13)
    for leaf in range(count):
        size, angle = scale * min(height, width) * rng.uniform(0.4, 1.6), rng.uniform(0, 2 * np.pi)
        outline = np.stack([np.cos(turn) * size, np.sin(turn) * size / long * (1 + 0.3 * np.cos(turn))])
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ outline
        corners = turned.T + rng.uniform(0, (width, height))
        light = (0.35 + 0.65 * leaf / count) * rng.uniform(0.6, 1.3)
        colour = np.clip(255 * light * colours[rng.integers(len(colours))], 0, 255)
        draw.polygon([tuple(map(float, corner)) for corner in corners], fill=tuple(int(value) for value in colour))
    picture = np.asarray(canvas) / 255
    relief = lit(rng, 3 * gaussian_filter(picture.mean(axis=2), 1) + texture(rng, height, width, 0.8), np.ones(3))
    return picture * (0.4 + relief)


def fields(rng: Rng, height: int, width: int) -> Field:
    """Land from above: cells of different crops and stones with borders, ploughed in different directions."""
    rows, columns = grid(height, width)
    count = int(rng.integers(8, 70))
    seeds = rng.uniform(0, (rows.max(), columns.max()), (count, 2))
    bent = 0.04 * texture(rng, height, width, 1.5), 0.04 * texture(rng, height, width, 1.5)
    stretch = rng.uniform(0.5, 2)
    far = np.hypot(rows + bent[0] - seeds[:, :1, None], stretch * (columns + bent[1] - seeds[:, 1:, None]))
    order = np.argsort(far, axis=0)[:2]
    first, second = np.take_along_axis(far, order, axis=0)
    colours, angles = np.stack([hue(rng, rng.choice([0.2, 0.5])) for _ in range(count)]), rng.uniform(0, np.pi, count)
    angle = angles[order[0]]
    furrows = np.sin(rng.uniform(60, 200) * (rows * np.cos(angle) + columns * np.sin(angle)))
    picture = colours[order[0]] * (1 + 0.12 * furrows + 0.15 * texture(rng, height, width, 0.7))[..., None]
    border = np.clip(1 - (second - first) / rng.uniform(0.005, 0.03), 0, 1)
    return painted(picture, border, hue(rng, 0.3))


def water(rng: Rng, height: int, width: int) -> Field:
    """Waves in perspective under a sky, with boats or rocks."""
    picture, horizon = sky(rng, height, width), rng.uniform(0.25, 0.6)
    rows = np.arange(height)[:, None] / height
    depth = 1 / np.maximum(rows - horizon, 0.01)
    waves = texture(rng, 512, 512, rng.uniform(0.8, 1.3), rng.uniform(0.5, 1))
    across = (np.arange(width)[None] / width - rng.uniform(0.2, 0.8)) * depth * rng.uniform(40, 90)
    surface = map_coordinates(
        waves, np.broadcast_arrays(depth * rng.uniform(30, 90), across), order=1, mode="grid-wrap"
    )
    colour = 0.6 * hue(rng, 0.5) + 0.4 * picture.mean(axis=(0, 1))
    wet = colour * (1 + 0.45 * surface[..., None]) + np.clip(surface - 1.6, 0, 1)[..., None]
    picture = painted(picture, (rows > horizon).astype(float) * np.ones((1, width)), wet)
    for size in rng.uniform(0.03, 0.2, int(rng.integers(1, 7))):
        picture = body(rng, picture, size)
    return picture


def portrait(rng: Rng, height: int, width: int) -> Field:
    """Sharp, finely marked bodies before a background that is out of focus."""
    behind = (street, foliage, landscape, still_life)[rng.integers(4)](rng, height, width)
    picture = gaussian_filter(behind, (rng.uniform(3, 9),) * 2 + (0,))
    for size in sorted(rng.uniform(0.1, 0.4, int(rng.integers(2, 6))), reverse=True):
        picture = body(rng, picture, size)
    for size in rng.uniform(0.02, 0.08, int(rng.integers(2, 9))):
        picture = body(rng, picture, size)
    return picture


LOOKS: tuple[Look, ...] = (landscape, still_life, street, foliage, fields, water, portrait)


def developed(rng: Rng, picture: Field) -> NDArray[np.uint8]:
    """What a camera adds: exposure, a colour cast, a vignette, a little blur, sensor noise."""
    height, width = picture.shape[:2]
    rows, columns = grid(height, width)
    centre = np.hypot(rows - rows.max() / 2, columns - columns.max() / 2)
    picture = np.clip(picture, 0, 1.4) * rng.uniform(0.9, 1.1, 3) * (1 - rng.uniform(0, 0.5) * centre**2)[..., None]
    low, high = np.quantile(picture, [0.01, 0.99])
    picture = np.clip((picture - low) / max(high - low, 0.05), 0, 1)
    gamma = np.log(rng.uniform(0.3, 0.6)) / np.log(np.clip(np.median(picture), 0.05, 0.9))
    picture = rng.uniform(0, 0.06) + rng.uniform(0.8, 0.94) * picture ** np.clip(gamma, 0.5, 1.6)
    blurred = gaussian_filter(picture, (rng.uniform(0.3, 0.8),) * 2 + (0,))
    noisy = blurred + rng.normal(0, rng.uniform(0.003, 0.02), picture.shape)
    return np.clip(255 * noisy, 0, 255).round().astype(np.uint8)


def scene(rng: Rng, look: int) -> NDArray[np.uint8]:
    """One scene `(height, width, 3)`, longest side 200 to 320; looks take turns by their number."""
    longest, aspect = int(rng.integers(200, 321)), rng.choice([1, 0.75, 0.667, 0.8])
    height, width = (longest, round(longest * aspect))[:: 1 if rng.random() < 0.3 else -1]
    return developed(rng, LOOKS[look % len(LOOKS)](rng, height, width))
