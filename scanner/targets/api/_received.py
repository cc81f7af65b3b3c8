"""What an API has given and no table holds yet: kept in files, so that nothing that was paid for is asked for twice.

The generating stage stores a batch of images when the last of them is there. Until then each lies here, under a
name made of its text and its seed, beside the account of what was spent.

    FOLDER/spent.json       requests and images, over all resumed attacks
    FOLDER/NAME.json        an answer: its defect and note; NAME.png its pixels, if it has any
"""

import hashlib
import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from scanner.files import replacing
from scanner.targets._target import Drawn
from scanner.targets.api._budget import Spent


class Received:
    """A folder of answers; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._given: set[str] = set()

    def spent(self) -> Spent:
        """What was spent so far."""
        path = None if self._folder is None else self._folder / "spent.json"
        return Spent(**json.loads(path.read_text(encoding="utf-8"))) if path and path.exists() else Spent()

    def store_spent(self, spent: Spent) -> None:
        """Write it down."""
        if self._folder is not None:
            _write(self._folder / "spent.json", json.dumps(asdict(spent)).encode())

    def take(self, caption: str, seed: int) -> Drawn | None:
        """The answer that is kept for a text and a seed; None where there is none."""
        name = _name(caption, seed)
        if self._folder is None or not (header := self._folder / f"{name}.json").exists():
            return None
        self._given.add(name)
        png = self._folder / f"{name}.png"
        said = json.loads(header.read_text(encoding="utf-8"))
        return Drawn(image=_from_png(png.read_bytes()) if png.exists() else None, **said)

    def keep(self, caption: str, seed: int, answer: Drawn) -> None:
        """Keep an answer."""
        if self._folder is None:
            return
        name = _name(caption, seed)
        if answer.image is not None:
            _write(self._folder / f"{name}.png", _png(answer.image))
        said = {"defect": answer.defect, "note": answer.note, "seed": answer.seed}
        _write(self._folder / f"{name}.json", json.dumps(said).encode())  # last: an answer with it is whole
        self._given.add(name)

    def forget(self) -> None:
        """Remove what was kept or taken since the last call: its table is written by now."""
        for name in self._given:
            for ending in ("json", "png"):
                if self._folder is not None:
                    (self._folder / f"{name}.{ending}").unlink(missing_ok=True)
        self._given.clear()

    def clear(self) -> None:
        """Remove all answers; what was spent stays."""
        for file in () if self._folder is None else self._folder.glob("*"):
            if file.name != "spent.json":
                file.unlink(missing_ok=True)
        self._given.clear()


def _name(caption: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{caption}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _png(image: np.ndarray) -> bytes:
    """An image on [0, 1] that has 8 bits a channel, as all that come from an API."""
    file = io.BytesIO()
    Image.fromarray((image * 255).round().astype(np.uint8)).save(file, "PNG", compress_level=4)
    return file.getvalue()


def _from_png(encoded: bytes) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
    return pixels.astype(np.float32) / np.float32(255)
