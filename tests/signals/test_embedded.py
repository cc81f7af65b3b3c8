"""What files say of themselves, read from real bytes; hostile bytes end in a cut value or a named fault."""

import pytest

from scanner.signals import MOST_CHARACTERS, of_file, of_xmp
from tests.signals.files import BILLION_LAUGHS, EXTERNAL, XMP, XMP_SAYS, exif, file, iptc, png_text


def plain(signals):
    return [(one.kind, one.source, one.value) for one in signals]


def test_a_file_without_metadata_says_nothing():
    assert of_file(file()) == []
    assert of_file(file("PNG")) == []
    assert of_file(b"") == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_of_every_format(form):
    said = plain(of_file(file(form, exif=exif(artist="A. Painter", copyright="2020 A. Painter"))))
    assert said == [
        ("creator", "EXIF Artist", "A. Painter"),
        ("copyright", "EXIF Copyright", "2020 A. Painter"),
    ]


@pytest.mark.parametrize(
    ("raw", "text"), [("© Müller".encode(), "© Müller"), ("© Müller".encode("latin-1"), "© Müller")]
)
def test_exif_texts_are_read_as_utf_8_or_latin_1(raw, text):
    assert plain(of_file(file(exif=exif(copyright=raw)))) == [("copyright", "EXIF Copyright", text)]


def test_iptc():
    records = {80: b"A. Painter", 105: b"A quiet scene", 110: "Agence Été".encode(), 116: b"\xa9 A. Painter"}
    assert plain(of_file(iptc(records))) == [
        ("creator", "IPTC 2:80 By-line", "A. Painter"),
        ("description", "IPTC 2:105 Headline", "A quiet scene"),
        ("credit", "IPTC 2:110 Credit", "Agence Été"),
        ("copyright", "IPTC 2:116 Copyright notice", "© A. Painter"),
    ]


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_xmp_in_a_file(form):
    assert plain(of_file(file(form, xmp=XMP.encode()))) == XMP_SAYS


def test_xmp_as_a_png_text():
    assert plain(of_file(png_text(**{"XML:com.adobe.xmp": XMP}))) == XMP_SAYS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xmp_padded_with_null_bytes(encoding):
    packet = XMP.replace("\ufeff", "").encode(encoding)
    packet += b"\0" * (64 if encoding == "utf-8" else 0)
    assert plain(of_xmp(packet)) == XMP_SAYS


def test_png_texts():
    said = plain(of_file(png_text(Author="A. Painter", Copyright="© A. Painter", Software="none of our business")))
    assert said == [("creator", "PNG text Author", "A. Painter"), ("copyright", "PNG text Copyright", "© A. Painter")]


@pytest.mark.parametrize("packet", [BILLION_LAUGHS, EXTERNAL])
def test_no_entity_is_expanded(packet):
    (only,) = of_xmp(packet)
    assert (only.kind, only.source) == ("fault", "XMP")
    assert "document type" in only.value


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"<x:xmpmeta", "no well-formed XML"),
        (XMP.encode()[:-300], "no well-formed XML"),
        (b"\xff\xfe\x00<", "no well-formed XML"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "no well-formed XML"),
        (b"<a>" * 100_000, "nests more than 200"),
        (b"<a>" + b" " * 2_000_000 + b"</a>", "2,000,007 bytes"),
        (b"", "no well-formed XML"),
    ],
)
def test_a_broken_packet_is_a_named_fault(packet, why):
    last = of_xmp(packet)[-1]
    assert (last.kind, last.source) == ("fault", "XMP")
    assert why in last.value


def test_what_a_broken_packet_says_before_the_break_is_kept():
    said = plain(of_xmp(XMP.encode()[: XMP.encode().index(b"<Iptc4xmpExt")]))
    assert said[:4] == XMP_SAYS[:4]
    assert said[4][0] == "fault"


def test_long_values_are_cut_and_say_so():
    (one,) = of_file(file(exif=exif(copyright="a" * 60_000)))
    assert (one.value, one.whole) == ("a" * MOST_CHARACTERS, 60_000)
    (png,) = of_file(png_text(Copyright="b" * 1_000_000))
    assert (png.value, png.whole) == ("b" * MOST_CHARACTERS, 1_000_000)
    packet = XMP.replace("© A. Painter", "c" * 500_000)
    (rights,) = (one for one in of_xmp(packet.encode()) if one.source == "XMP dc:rights")
    assert rights.value == "c" * MOST_CHARACTERS
    assert rights.whole is not None


def test_null_bytes_and_scripts_are_text():
    (one,) = of_file(file(exif=exif(artist="A\0<script>alert(1)</script>\n\n  B")))
    assert one.value == "A <script>alert(1)</script> B"


@pytest.mark.parametrize("seed", range(60))
def test_damaged_blocks_never_raise(seed):
    import random  # noqa: PLC0415

    rng = random.Random(seed)
    whole = [
        file(exif=exif(artist="A. Painter", copyright="©", description="d"), xmp=XMP.encode()),
        iptc({80: b"A. Painter", 116: b"c"}),
        png_text(Author="A", Copyright="C"),
        file("TIFF", exif=exif(artist="A. Painter")),
    ][seed % 4]
    damaged = bytearray(whole)
    for _ in range(1 + seed % 20):
        damaged[rng.randrange(2, min(len(damaged), 2000))] = rng.randrange(256)
    for one in of_file(bytes(damaged[: len(damaged) - seed * 5])):
        assert len(one.value) <= MOST_CHARACTERS
        one.value.encode("utf-8")
