"""Broken rows are broken in the way that they say, as Pillow and the standard library see it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, UnidentifiedImageError

from scanner.demo._broken import BROKEN, break_caption
from tests.demo.reading import Built, upright


def files(built: Built, what: str) -> list[bytes]:
    found = [built.file(key) for key in built.truth.filter(kind=f"broken_{what}")["key"]]
    assert len(found) == 2
    return found


def test_two_rows_of_each_kind(built: Built) -> None:
    broken = built.truth.filter(built.truth["kind"].str.starts_with("broken_"))
    assert sorted(broken["kind"]) == sorted([f"broken_{what}" for what in BROKEN] * 2)


def test_empty_files(built: Built) -> None:
    assert files(built, "empty") == [b"", b""]


def test_truncated_files_begin_as_a_picture_and_do_not_load(built: Built) -> None:
    for file in files(built, "truncated"):
        image = Image.open(io.BytesIO(file))
        assert image.format == "JPEG"
        with pytest.raises(OSError, match="truncated"):
            image.load()


def test_pages_are_no_picture(built: Built) -> None:
    for file in files(built, "html"):
        assert file.startswith(b"<!DOCTYPE html>")
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(file))


def test_bombs_promise_more_than_pillow_opens(built: Built) -> None:
    for file in files(built, "bomb"):
        assert len(file) < 10_000
        with pytest.raises(Image.DecompressionBombError):
            Image.open(io.BytesIO(file))


def test_rows_without_a_picture_have_their_texts(built: Built) -> None:
    for key in built.truth.filter(kind="broken_missing_image")["key"]:
        assert set(built.members[key]) == {"json", "txt"}


def test_broken_captions_stand_beside_good_pictures(built: Built) -> None:
    for key in built.truth.filter(kind="broken_caption")["key"]:
        assert max(upright(built.file(key)).size) >= 128
        with pytest.raises(UnicodeDecodeError):
            built.members[key]["txt"].decode()


@given(st.text())
def test_no_broken_caption_is_utf8(text: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        break_caption(text).decode()
