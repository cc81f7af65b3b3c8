"""Pictures are decoded whole and right, or refused with a reason; each format's traps are real files made here."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from scanner.samples import Undecodable, decode
from scanner.samples._decode import MAX_PIXELS
from tests.samples.pictures import JUNK_HTML, encode, photo_like, png_header, with_orientation

PICTURE = photo_like(1, 37, 53)
# The stored rows and columns whose display under each EXIF orientation is the upright picture (Exif 2.32, tag 274).
STORED = {
    1: PICTURE,
    2: PICTURE[:, ::-1],
    3: PICTURE[::-1, ::-1],
    4: PICTURE[::-1],
    5: PICTURE.transpose(1, 0, 2),
    6: np.rot90(PICTURE, 1),
    7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PICTURE, -1),
}
WHOLE_FILES = {
    "jpeg": encode(PICTURE, "JPEG"),
    "progressive": encode(PICTURE, "JPEG", progressive=True),
    "cmyk": encode(Image.fromarray(PICTURE).convert("CMYK"), "JPEG"),
    "png": encode(PICTURE),
    "palette": encode(Image.fromarray(PICTURE).quantize(64)),
    "webp": encode(PICTURE, "WEBP"),
    "gif": encode(Image.fromarray(PICTURE).quantize(64), "GIF"),
    "bmp": encode(PICTURE, "BMP"),
    "tiff": encode(PICTURE, "TIFF"),
    "tiff_lzw": encode(PICTURE, "TIFF", compression="tiff_lzw"),
    "avif": encode(PICTURE, "AVIF"),
}


def reason_of(encoded: bytes) -> str:
    with pytest.raises(Undecodable) as caught:
        decode(encoded)
    assert caught.value.message.strip()
    return caught.value.reason


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "TIFF-LZW", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format, orientation):
    stored = np.ascontiguousarray(STORED[orientation])
    options = {
        "WEBP": {"lossless": True},
        "TIFF-LZW": {"compression": "tiff_lzw"},
        "JPEG": {"quality": 95, "subsampling": 0},
    }
    encoded = encode(stored, format.split("-")[0], exif=with_orientation(orientation), **options.get(format, {}))
    shown = decode(encoded)
    assert shown.shape == PICTURE.shape
    difference = np.abs(shown.astype(int) - PICTURE)
    assert difference.mean() < 6 if format == "JPEG" else not difference.any()


def test_an_orientation_out_of_range_or_a_damaged_exif_block_is_no_rotation():
    assert np.array_equal(decode(encode(PICTURE, exif=with_orientation(9))), PICTURE)
    encoded = encode(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(decode(encoded), decode(WHOLE_FILES["jpeg"]))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_converted(format):
    cyan, magenta, yellow, black = 200, 40, 90, 30
    flat = Image.new("CMYK", (16, 16), (cyan, magenta, yellow, black))
    shown = decode(encode(flat, format)).astype(int)
    expected = [(255 - ink) * (255 - black) / 255 for ink in (cyan, magenta, yellow)]
    assert np.abs(shown - expected).max() <= 3


def test_ycck_is_converted():
    # Adobe stores inks inverted. YCCK holds the inks' YCC in the first three bands, and says so by transform 2; Pillow
    # writes plain CMYK, inverted, with transform 0.
    inks = Image.new("RGB", (16, 16), (255 - 180, 255 - 60, 255 - 20))
    luma_chroma = inks.convert("YCbCr")
    bands = [Image.eval(band, lambda value: 255 - value) for band in luma_chroma.split()]
    encoded = bytearray(encode(Image.merge("CMYK", (*bands, Image.new("L", (16, 16), 0))), "JPEG", quality=100))
    marker = encoded.index(b"Adobe")
    assert encoded[marker + 11] == 0
    encoded[marker + 11] = 2
    assert np.abs(decode(bytes(encoded)).astype(int) - [180, 60, 20]).max() <= 4


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_greyscale_is_scaled_not_clipped(format):
    grey = np.array([[0, 128, 129, 255, 256, 1000, 32768, 65407, 65535]], dtype=np.uint16)
    expected = np.round(grey / 257).astype(np.uint8)
    shown = decode(encode(grey, format))
    assert np.array_equal(shown, np.repeat(expected[:, :, None], 3, axis=2))


def test_greyscale_and_bilevel_become_grey_rgb():
    grey = PICTURE[:, :, 0]
    assert np.array_equal(decode(encode(grey)), np.repeat(grey[:, :, None], 3, axis=2))
    bilevel = Image.fromarray(grey > 128)
    assert set(np.unique(decode(encode(bilevel)))) == {0, 255}


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_alpha_is_composited_on_white(mode, format):
    colour, alpha = (100, 100, 100), 51
    pixel = (*colour, alpha) if mode == "RGBA" else (colour[0], alpha)
    image = Image.new(mode, (8, 8), pixel)
    shown = decode(encode(image, format)).astype(int)
    assert np.abs(shown - (100 * 0.2 + 255 * 0.8)).max() <= 1


def test_hidden_colours_and_every_kind_of_transparency_become_white():
    hidden = np.zeros((4, 4, 4), np.uint8)
    assert (decode(encode(hidden)) == 255).all()
    palette = Image.new("P", (4, 4))
    palette.putpalette([10, 20, 30, 200, 0, 0])
    palette.putpixel((0, 0), 1)
    # one transparency byte per colour: what Pillow's convert("RGB") warns of and gets wrong
    by_bytes = decode(encode(palette, transparency=bytes([0, 255])))
    assert by_bytes[0, 0].tolist() == [200, 0, 0]
    assert by_bytes[1, 1].tolist() == [255, 255, 255]
    by_index = decode(encode(palette, "GIF", transparency=0))
    assert by_index[1, 1].tolist() == [255, 255, 255]
    by_colour = decode(encode(np.zeros((4, 4, 3), np.uint8), transparency=(0, 0, 0)))
    assert (by_colour == 255).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation_counts(format):
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    encoded = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert decode(encoded).reshape(-1, 3).tolist() == [[255, 0, 0]] * 200


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "empty_file"),
        (JUNK_HTML, "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (bytes(1000), "not_an_image"),
        (png_header(50_000, 50_000), "too_many_pixels"),
        (png_header(10_000, 10_000), "too_many_pixels"),  # only a warning for Pillow
        (WHOLE_FILES["jpeg"][:-300], "truncated_image"),
        (WHOLE_FILES["png"][:2000], "truncated_image"),
        (WHOLE_FILES["webp"][:600], "truncated_image"),
        (WHOLE_FILES["gif"][:700], "truncated_image"),
        (encode(np.zeros((4, 4), np.float32), "TIFF"), "unsupported_mode"),
    ],
)
def test_what_cannot_be_read_has_a_reason(encoded, reason):
    assert reason_of(encoded) == reason


def test_pillows_limit_is_ours():
    assert Image.MAX_IMAGE_PIXELS == MAX_PIXELS
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@given(kind=st.sampled_from(sorted(WHOLE_FILES)), share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=300, deadline=None)
def test_a_cut_file_is_never_half_a_picture(kind, share):
    whole = WHOLE_FILES[kind]
    try:
        shown = decode(whole[: int(share * len(whole))])
    except Undecodable:
        return
    assert np.array_equal(shown, decode(whole))  # only the end marker was cut


@given(
    kind=st.sampled_from(sorted(WHOLE_FILES)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_damaged_files_give_a_picture_or_a_reason_and_nothing_else(kind, changes):
    damaged = bytearray(WHOLE_FILES[kind])
    for where, value in changes:
        damaged[int(where * len(damaged))] = value
    outcome = _outcome(bytes(damaged))
    assert outcome in {
        "decoded",
        "truncated_image",
        "broken_image",
        "not_an_image",
        "too_many_pixels",
        "unsupported_mode",
    }


def test_pillows_warnings_stay_inside_also_from_threads():
    noisy = encode(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\x7f\xff\xff\xff\x7f")
    files = [noisy, png_header(10_000, 10_000), WHOLE_FILES["palette"]] * 30
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(4) as pool:
            reasons = set(pool.map(_outcome, files))
    assert caught == []
    assert reasons == {"decoded", "too_many_pixels"}
    assert warnings.filters == filters


def _outcome(encoded: bytes) -> str:
    try:
        shown = decode(encoded)
    except Undecodable as error:
        return error.reason
    assert (shown.dtype, shown.ndim, shown.shape[2]) == (np.uint8, 3, 3)
    return "decoded"
