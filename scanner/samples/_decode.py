"""An image file's bytes as upright 8-bit RGB pixels, or the reason why that can't be.

A picture is decoded whole or not at all: half of a truncated file would match other halves. The format is
recognised by content, never by the file's name. What is not pixels is settled the same way for every format:

- EXIF (or XMP, or TIFF) orientation is applied;
- transparency is composited on white, where web pages mostly show it;
- of an animation or a multi-page file, the first frame counts;
- 16-bit greyscale is scaled to 8 bit, not clipped;
- ICC profiles are ignored: pixel values are compared as they are stored, as training code reads them.

    >>> decode(Path("photo.jpg").read_bytes()).shape   # doctest: +SKIP
    (480, 640, 3)
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.Image import Transpose

from scanner.samples._quiet import pillow_warnings_off

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow's names of the formats that are read. Others stay out on purpose: its EPS reader starts Ghostscript."""

MAX_PIXELS = 89_478_485
"""Largest picture, in pixels: Pillow's own limit for decompression bombs (a quarter GiB of RGB)."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*")

# How the stored picture is turned for each EXIF orientation (Exif 2.32, tag 274); 1 is upright.
_ORIENTATION = 274
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


class Undecodable(Exception):
    """A row whose image or caption can't be read; it becomes a `Failure` in the ledger."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """Short and countable: truncated_image, not_an_image, ..."""
        self.message = message
        """One sentence with the particulars."""


def decode(encoded: bytes) -> NDArray[np.uint8]:
    """Decode an image file to pixels: uint8, shape (height, width, 3), RGB, upright.

    Raises Undecodable with one of the reasons `empty_file`, `not_an_image`, `truncated_image`, `broken_image`,
    `too_many_pixels` and `unsupported_mode`. Can be called from several threads.
    """
    if not encoded:
        raise Undecodable("empty_file", "The image file has no bytes.")
    with pillow_warnings_off():
        try:
            return _to_rgb(_load_upright(encoded))
        except Undecodable:
            raise
        except Exception as error:  # Pillow's readers raise nearly every type on hostile bytes
            raise _explain(encoded, error) from error


def _load_upright(encoded: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(encoded), formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise Undecodable("too_many_pixels", f"{picture.width} × {picture.height} pixels are more than {MAX_PIXELS:,}.")
    picture.load()
    # Pillow turns a TIFF itself while loading it, and removes the tag.
    turn = _UPRIGHT.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where the EXIF block is damaged, as browsers take it."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # the EXIF reader raises nearly every type on hostile bytes
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith("I;16"):
        return _from_16_bit(picture)
    if picture.mode in ("I", "F", "LAB"):
        raise Undecodable("unsupported_mode", f"Pixels of mode {picture.mode} have no agreed black and white.")
    if picture.has_transparency_data:
        # by way of RGBA, since a palette's transparency may be one byte per colour
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def _from_16_bit(picture: Image.Image) -> NDArray[np.uint8]:
    bits = getattr(picture, "tag_v2", {}).get(258, (16,))[0]  # a 12-bit TIFF is stored in 16 bits, unscaled
    white = 2 ** int(bits) - 1
    grey = np.asarray(picture).astype(np.uint32)
    scaled = np.minimum((grey * 255 + white // 2) // white, 255).astype(np.uint8)
    return np.repeat(scaled[:, :, None], 3, axis=2)


def _explain(encoded: bytes, error: Exception) -> Undecodable:
    """The reason behind an error of Pillow's."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return Undecodable("too_many_pixels", f"Pillow refuses it as a decompression bomb: {said}")
    if isinstance(error, UnidentifiedImageError) and not _known_magic(encoded):
        return Undecodable("not_an_image", f"No image format begins with {encoded[:24]!r}.")
    if "truncated" in said.lower() or _lacks_end(encoded):
        return Undecodable("truncated_image", f"The file of {len(encoded):,} bytes ends before its picture does.")
    return Undecodable("broken_image", f"The image data are damaged ({type(error).__name__}: {said})")


def _known_magic(encoded: bytes) -> bool:
    riff = encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP"
    return riff or encoded[4:12] == b"ftypavif" or encoded.startswith(_MAGIC)


def _lacks_end(encoded: bytes) -> bool:
    """Whether a file that can't be read also lacks the end its format prescribes."""
    if encoded.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in encoded
    if encoded.startswith(b"\x89PNG"):
        return b"IEND" not in encoded
    if encoded.startswith(b"GIF8"):
        return not encoded.endswith(b"\x3b")
    if encoded.startswith(b"RIFF"):
        return len(encoded) < 8 + int.from_bytes(encoded[4:8], "little")
    if encoded.startswith(b"BM"):
        return len(encoded) < int.from_bytes(encoded[2:6], "little")
    return False
