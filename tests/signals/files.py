"""Image files with metadata in them, as bytes: EXIF, IPTC-IIM, XMP and PNG texts, sound and hostile."""

import io
import struct

import numpy as np
from PIL import Image, PngImagePlugin

PIXELS = np.arange(32 * 24 * 3, dtype=np.uint8).reshape(24, 32, 3)

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:cc="http://creativecommons.org/ns#"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmpRights:WebStatement="https://example.org/terms" photoshop:Credit="Agency &amp; Sons">
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© A. Painter</rdf:li></rdf:Alt></dc:rights>
<dc:creator><rdf:Seq><rdf:li>A. Painter</rdf:li><rdf:li>B. Printer</rdf:li></rdf:Seq></dc:creator>
<Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>C. Sitter</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>
<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
XMP_SAYS = [
    ("terms", "XMP xmpRights:WebStatement", "https://example.org/terms"),
    ("credit", "XMP photoshop:Credit", "Agency & Sons"),
    ("copyright", "XMP dc:rights", "© A. Painter"),
    ("creator", "XMP dc:creator", "A. Painter; B. Printer"),
    ("person", "XMP Iptc4xmpExt:PersonInImage", "C. Sitter"),
    ("opt_out", "XMP plus:DataMining", "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"),
    ("licence", "XMP cc:license", "https://creativecommons.org/licenses/by/4.0/"),
]

BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b'] ><x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:rights>&j;</dc:rights>'
    b"</x:xmpmeta>"
)
EXTERNAL = BILLION_LAUGHS.replace(b'<!ENTITY a "ha">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')


def file(form: str = "JPEG", **options: object) -> bytes:
    """A picture in a format, with Pillow's own options of writing."""
    stored = io.BytesIO()
    Image.fromarray(PIXELS).save(stored, form, **options)
    return stored.getvalue()


def exif(**texts: str | bytes) -> Image.Exif:
    """An EXIF block with artist, copyright or description."""
    block = Image.Exif()
    for name, text in texts.items():
        block[{"artist": 315, "copyright": 33432, "description": 270}[name]] = text
    return block


def iptc(records: dict[int, bytes]) -> bytes:
    """A JPEG with an APP13 segment of IIM datasets of record 2, as Photoshop writes it."""
    data = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text for number, text in records.items())
    block = b"8BIM" + struct.pack(">HH", 0x0404, 0) + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    segment = b"Photoshop 3.0\0" + block
    jpeg = file()
    return jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def png_text(**texts: str) -> bytes:
    """A PNG with texts under the keywords."""
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    return file("PNG", pnginfo=info)
