"""What an image file says of itself: EXIF, IPTC-IIM, XMP and PNG texts.

Most files say nothing, and a search for the marks that begin such blocks dismisses those without opening them. A block
that can't be read is a `fault`; nothing in a file raises. Of a PNG, what stands before the picture is read.

    >>> of_file(Path("photo.jpg").read_bytes())                                  # doctest: +SKIP
    [Signal(kind='copyright', source='EXIF Copyright', value='© A. Painter', whole=None, detail=None)]
"""

import io
from collections.abc import Callable, Iterator

from PIL import Image, ImageFile, IptcImagePlugin

from scanner.samples import FORMATS, pillow_warnings_off
from scanner.signals._signal import Signal, said
from scanner.signals._xmp import of_xmp

_MARKS = (b"Exif\0", b"EXIF", b"eXIf", b"Photoshop 3.0", b"xmpmeta", b"rdf:RDF", b"tEXt", b"iTXt", b"zTXt")
_TIFF = (b"II*\0", b"MM\0*")
_EXIF = {
    315: ("creator", "Artist"),
    33432: ("copyright", "Copyright"),
    270: ("description", "ImageDescription"),
    40093: ("creator", "XPAuthor"),
}
"""Tags of the main directory (Exif 2.32; XPAuthor is Windows')."""
_IPTC = {
    (2, 80): ("creator", "2:80 By-line"),
    (2, 105): ("description", "2:105 Headline"),
    (2, 110): ("credit", "2:110 Credit"),
    (2, 116): ("copyright", "2:116 Copyright notice"),
}
"""Datasets of IIM 4.2."""
_PNG = {"Author": "creator", "Copyright": "copyright", "Description": "description", "Disclaimer": "terms"}
"""Keywords that the PNG specification names."""


def of_file(encoded: bytes) -> list[Signal]:
    """The signals in an encoded image, none where it can't be opened (the ledger has it then)."""
    if not encoded.startswith(_TIFF) and not _has_mark(encoded):
        return []
    with pillow_warnings_off():
        try:
            picture = Image.open(io.BytesIO(encoded), formats=FORMATS)
        except Exception:  # Pillow's readers raise nearly every type on hostile bytes
            return []
        found: list[Signal] = []
        for source, read in (("EXIF", _of_exif), ("IPTC", _of_iptc), ("XMP", _of_xmp), ("PNG text", _of_png)):
            found += _guarded(source, read, picture)
        return found


def _has_mark(encoded: bytes) -> bool:
    """Whether a block may be there: before the pixels where the format has it there, since of several the first is, and
    one is enough."""
    first = b"\xff\xda" if encoded.startswith(b"\xff\xd8") else b"IDAT" if encoded.startswith(b"\x89PNG") else None
    head = encoded if first is None else encoded[: encoded.find(first)]
    return any(mark in head for mark in _MARKS)


def _guarded(
    source: str, read: Callable[[ImageFile.ImageFile], Iterator[Signal | None]], picture: ImageFile.ImageFile
) -> list[Signal]:
    """What a block says, and a fault where reading it fails."""
    found: list[Signal] = []
    try:
        found.extend(one for one in read(picture) if one is not None)
    except Exception as error:  # as above
        said_of_it = (str(error).splitlines() or [""])[0][:120]
        found.append(Signal(kind="fault", source=source, value=f"{type(error).__name__}: {said_of_it}"))
    return found


def _of_exif(picture: Image.Image) -> Iterator[Signal | None]:
    exif = picture.getexif()
    for tag, (kind, name) in _EXIF.items():
        value = exif.get(tag)
        if value is not None:
            yield said(kind, f"EXIF {name}", _exif_text(value, utf_16=name.startswith("XP")))


def _exif_text(value: object, *, utf_16: bool) -> object:
    """Pillow gives texts as Latin-1, where cameras and programs mostly write UTF-8."""
    if isinstance(value, tuple):
        value = bytes(value) if all(isinstance(x, int) and 0 <= x < 256 for x in value) else repr(value)
    if isinstance(value, bytes):
        return value.decode("utf-16-le", "replace") if utf_16 else _text(value)
    if isinstance(value, str):
        try:
            return _text(value.encode("latin-1"))
        except UnicodeEncodeError:
            return value
    return value


def _text(raw: bytes) -> str:
    """UTF-8 where it is that, else Latin-1, in which every byte is a character."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _of_iptc(picture: ImageFile.ImageFile) -> Iterator[Signal | None]:
    records = IptcImagePlugin.getiptcinfo(picture) or {}
    for key, (kind, name) in _IPTC.items():
        value = records.get(key)
        if value is not None:
            parts = value if isinstance(value, list) else [value]
            yield said(kind, f"IPTC {name}", "; ".join(_text(bytes(part)) for part in parts[:20]))


def _of_xmp(picture: Image.Image) -> Iterator[Signal]:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "replace")
    if isinstance(packet, bytes):
        yield from of_xmp(packet)


def _of_png(picture: Image.Image) -> Iterator[Signal | None]:
    if picture.format != "PNG":
        return
    for keyword, kind in _PNG.items():
        yield said(kind, f"PNG text {keyword}", picture.info.get(keyword))
