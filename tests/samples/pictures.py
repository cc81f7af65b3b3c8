"""Pictures and broken files for the tests, all made here with Pillow and struct."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

JUNK_HTML = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"


def photo_like(seed: int, height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    """A picture with the spectrum of a photograph (1/f) and a few hard-edged shapes in colour."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    spectrum = rng.standard_normal((3, *frequency.shape)) + 1j * rng.standard_normal((3, *frequency.shape))
    field = np.fft.irfft2(spectrum / np.maximum(frequency, 1 / width) ** 1.3, s=(height, width))
    field /= field.std(axis=(1, 2), keepdims=True)
    bands = 45 * field[0] + 12 * field + rng.uniform(90, 160, (3, 1, 1))  # mostly brightness, as in photographs
    picture = np.clip(bands, 0, 255).astype(np.uint8).transpose(1, 2, 0).copy()
    for _ in range(4):
        top, left = rng.integers(0, height - height // 4), rng.integers(0, width - width // 4)
        tall, wide = rng.integers(height // 8, height // 3), rng.integers(width // 8, width // 3)
        picture[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
    return picture


def encode(picture: NDArray[Any] | Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """A picture as the bytes of an image file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, format=format, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing: a decompression bomb's header."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(bytes(1000))
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (ihdr, idat, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif
