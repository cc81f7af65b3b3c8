"""Rights, people and opt-outs of an XMP packet (ISO 16684-1), read by a parser that expands nothing.

The packet is a stranger's XML, so a document type, and with it every entity, ends the reading, and so does a packet of
more than a mebibyte. Property names are those of Dublin Core, XMP rights, Photoshop, IPTC extension and PLUS
(https://www.iptc.org/std/photometadata/specification/); PLUS' DataMining is the opt-out that is written into files.

    >>> of_xmp(packet)                                                          # doctest: +SKIP
    [Signal(kind='copyright', source='XMP dc:rights', value='© A. Painter', whole=None, detail=None)]
"""

from xml.parsers.expat import ExpatError, ParserCreate  # a doctype is refused below

from scanner.signals._signal import MOST_CHARACTERS, Signal, said

MOST_BYTES = 1 << 20
"""Of a packet that is read. What a file can hold in one segment is 64 KiB."""
_MOST_DEPTH = 200
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://creativecommons.org/ns#": "cc",
}
_KINDS = {
    "dc:rights": "copyright",
    "dc:creator": "creator",
    "dc:description": "description",
    "xmpRights:UsageTerms": "terms",
    "xmpRights:WebStatement": "terms",
    "xmpRights:Owner": "copyright",
    "photoshop:Credit": "credit",
    "photoshop:Headline": "description",
    "Iptc4xmpExt:PersonInImage": "person",
    "plus:DataMining": "opt_out",
    "plus:OtherConstraints": "terms",
    "plus:CopyrightOwnerName": "copyright",
    "plus:ImageCreatorName": "creator",
    "plus:LicensorName": "licence",
    "plus:LicensorURL": "licence",
    "cc:license": "licence",
    "cc:attributionName": "credit",
}
_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"


class _Refused(Exception):
    """The packet is not read any further; says why."""


def of_xmp(packet: bytes) -> list[Signal]:
    """The signals of a packet; a `fault` says what is wrong with one that can't be read to its end, after what was
    read."""
    if len(packet) > MOST_BYTES:
        return [_fault(f"the packet has {len(packet):,} bytes, and no more than {MOST_BYTES:,} are read")]
    reader = _Reader()
    fault = None
    try:
        reader.read(packet)
    except _Refused as error:
        fault = str(error)
    except (ExpatError, ValueError, LookupError) as error:
        fault = f"the packet is no well-formed XML ({error})"
    return [*reader.signals(), *([] if fault is None else [_fault(fault)])]


def _fault(why: str) -> Signal:
    return Signal(kind="fault", source="XMP", value=why[:MOST_CHARACTERS])


class _Reader:
    """Collects texts, attributes and resources of the properties that are signals."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self._lengths: dict[str, int] = {}

    def read(self, packet: bytes) -> None:
        parser = ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        # packets are padded for editing in place, with spaces or, against the standard, with null bytes
        two_bytes = packet.startswith((b"\xff\xfe", b"\xfe\xff"))
        parser.Parse(packet if two_bytes else packet.strip(b"\0 \r\n\t"), True)

    def signals(self) -> list[Signal]:
        found = (said(_KINDS[name], f"XMP {name}", "; ".join(texts)) for name, texts in self._texts.items())
        return [one for one in found if one is not None]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= _MOST_DEPTH:
            raise _Refused(f"the packet nests more than {_MOST_DEPTH} elements")
        self._stack.append(_short(name))
        for attribute, value in attributes.items():
            inside = self._property() if attribute == _RESOURCE else _short(attribute)
            if inside in _KINDS:
                self._add(inside, value)

    def _end(self, _: str) -> None:
        self._stack.pop()

    def _text(self, text: str) -> None:
        inside = self._property()
        if inside is not None and text.strip():
            self._add(inside, text)

    def _property(self) -> str | None:
        return next((name for name in reversed(self._stack) if name in _KINDS), None)

    def _add(self, name: str, text: str) -> None:
        """A text of a property, unless it is there or what is kept is full."""
        texts, length = self._texts.setdefault(name, []), self._lengths.get(name, 0)
        if length <= 8 * MOST_CHARACTERS and text.strip() not in texts:
            texts.append(text.strip())
            self._lengths[name] = length + len(text)


def _refuse_doctype(*_: object) -> None:
    raise _Refused("the packet declares a document type, which XMP has none of; it was not expanded")


def _short(name: str) -> str:
    """`dc:rights` for the expat's `http://purl.org/dc/elements/1.1/ rights`; as it is for other namespaces."""
    namespace, _, local = name.rpartition(" ")
    return f"{_PREFIXES[namespace]}:{local}" if namespace in _PREFIXES else name
