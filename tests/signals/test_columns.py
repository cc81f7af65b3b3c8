"""Columns are found by the names that published sets give them; what they hold is taken as it is."""

import math

import numpy as np
import pytest

from scanner.signals import host_of, of_columns, signals_of


def plain(fields):
    return [(one.kind, one.source, one.value) for one in of_columns(fields)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        # LAION-400M and laion2B
        ({"LICENSE": "cc-by", "NSFW": "UNLIKELY", "similarity": 0.3}, [("licence", "cc-by"), ("nsfw", "UNLIKELY")]),
        ({"LICENSE": "?", "punsafe": 0.25, "pwatermark": 0.5}, [("nsfw", "0.25"), ("watermark", "0.5")]),
        # COYO
        ({"num_faces": 2, "nsfw_score_gantman": 0.01}, [("faces", "2"), ("nsfw", "0.01")]),
        # Open Images, Wikimedia Commons, YFCC
        ({"License": "CC BY 2.0", "Author": "A. P."}, [("licence", "CC BY 2.0"), ("creator", "A. P.")]),
        ({"LicenseShortName": "CC0", "Credit": "<b>A</b>"}, [("licence", "CC0"), ("credit", "<b>A</b>")]),
        ({"licensename": "CC BY", "usernickname": "p"}, [("licence", "CC BY"), ("creator", "p")]),
        # opt-outs
        ({"X-Robots-Tag": "noai, noimageai"}, [("opt_out", "noai, noimageai")]),
        ({"opt_out": False}, [("opt_out", "False")]),
        # Conceptual Captions
        ({"caption": "a cat", "url": "https://example.org/license"}, []),
        ({"license": None, "copyright": math.nan, "credit": "  \0 "}, []),
    ],
)  # fmt: skip
def test_columns_of_published_sets(fields, said):
    assert [(kind, value) for kind, _, value in plain(fields)] == said


@pytest.mark.parametrize(
    ("boxes", "number", "detail"),
    [
        ([[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]], "2", "[[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]]"),
        ("[[0, 0, 1, 1]]", "1", "[[0, 0, 1, 1]]"),
        (np.array([[0.0, 0.0, 1.0, 1.0]]), "1", "[[0.0, 0.0, 1.0, 1.0]]"),
        ([], "0", None),
        ([[0, 0, 1, 1]] * 10_000, "10000", None),
        (3.0, "3", None),
    ],
)
def test_faces_are_counted(boxes, number, detail):
    (one,) = of_columns({"face_bboxes": boxes})
    assert (one.kind, one.value, one.detail) == ("faces", number, detail)


def test_the_exif_that_img2dataset_stores():
    exif = '{"Image Artist": "A. Painter", "Image Copyright": "(c)", "Image Make": "Camera"}'
    assert plain({"exif": exif}) == [
        ("creator", "column exif: Image Artist", "A. Painter"),
        ("copyright", "column exif: Image Copyright", "(c)"),
    ]
    assert plain({"exif": "{}"}) == []


@pytest.mark.parametrize("exif", ["{", "[" * 100_000, "a" * 2_000_000, "[1]", 7])
def test_a_broken_exif_column_is_a_named_fault(exif):
    assert [(kind, source) for kind, source, _ in plain({"exif": exif})] == [("fault", "column exif")]


def test_hostile_values_are_cut_and_stay_text():
    values = ["x" * 1_000_000, "\ud800 broken", "<script>", {"a": 1}, ["CC0", "CC BY"], b"\xff\x00", 10**40, math.inf]
    said = [plain({"license": value}) for value in values]
    assert [one[0][2][:20] if one else None for one in said] == [
        "x" * 20, "? broken", "<script>", '{"a": 1}', "CC0; CC BY", "b'\\xff\\x00'", "1" + "0" * 19, None,
    ]  # fmt: skip
    assert plain({"num_faces": 1e300}) == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://user@Upload.Example.org:8080/a.jpg", "upload.example.org"),
        ("http://[::1", None),
        ("not a url", None),
        ("", None),
        (None, None),
    ],
)
def test_hosts(url, host):
    assert host_of(url) == host


def test_a_row_without_image():
    assert [one.kind for one in signals_of({"LICENSE": "CC0"}, None)] == ["licence"]
