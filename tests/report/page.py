"""A page taken apart with the standard library's parser, as the tests look at it."""

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "br", "input", "link"}


class Page(HTMLParser):
    """Elements, attributes, text and figures of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.blocks: dict[str, str] = {}
        """By id what data blocks hold: script elements of a type that no browser runs."""
        self.figures: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"an attribute twice in {tag}: {attrs}"
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "data":
            self.figures.append((str(attributes["data-path"]), str(attributes["value"]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} closed out of turn"

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script":
            _, attributes = self.elements[-1]
            if attributes.get("type") == "application/octet-stream":
                self.blocks[str(attributes["id"])] = data
            else:
                self.scripts.append(data)
        elif inside == "style":
            self.styles.append(data)
        else:
            self.text += data
        if inside == "data":
            path, value, shown = self.figures[-1]
            self.figures[-1] = (path, value, shown + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get("id"))]
