"""Which column of a data set is the caption, the url, the key or the image: by name, whatever the case.

The names are those of the data sets in use: LAION-400M and laion2B (`TEXT`, `URL`, `SAMPLE_ID`, `hash`), laion-coco
(`top_caption`), COYO-700M (`text`), DataComp (`uid`), Recap-DataComp (`re_caption`, `org_caption`), img2dataset
(`caption`, `key`), webdataset (`txt`, `__key__`) and Hugging Face's folders (`file_name`).

>>> Columns().find(["URL", "TEXT", "similarity"], "caption")
'TEXT'
>>> Columns(caption="alt").find(["URL", "TEXT", "alt"], "caption")
'alt'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from scanner.errors import UnusableInputError

KNOWN = {
    "caption": ("text", "caption", "txt", "top_caption", "re_caption", "org_caption"),
    "url": ("url",),
    "key": ("uid", "key", "sample_id", "hash", "image_id", "__key__"),
    "image": ("jpg", "jpeg", "png", "webp", "image", "image_path", "file_name"),
    "embedding": ("l14_img", "b32_img"),
}
"""Names of each role in lower case, the most telling first."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns that the user names; the others are found by their usual names."""

    caption: str | None = None
    """Column of the caption."""
    url: str | None = None
    """Column of the address the image came from."""
    key: str | None = None
    """Column of the row's key."""
    image: str | None = None
    """Column, or extension in a tar, of the image."""
    embedding: str | None = None
    """Array of a .npz that holds the embeddings; no column of a row, so that it is not among `named`."""

    def named(self) -> dict[str, str]:
        """The columns that were named, by their role."""
        roles = {"caption": self.caption, "url": self.url, "key": self.key, "image": self.image}
        return {role: name for role, name in roles.items() if name is not None}

    def find(self, names: Iterable[str], role: str) -> str | None:
        """The column of that role among `names`; None where there is none."""
        return _find(tuple(names), getattr(self, role), role)

    def require(self, names: Iterable[str], role: str, where: str) -> str:
        """The same, or UnusableInputError, which lists what was found in `where`."""
        names = tuple(names)
        found = self.find(names, role)
        if found is None:
            wanted = getattr(self, role) or " ".join(KNOWN[role])
            raise UnusableInputError(
                f"{where} has no {role} column (looked for {wanted}; found {' '.join(names) or 'no columns'}); "
                f"name it with --{role}-column."
            )
        return found


@lru_cache(maxsize=4096)
def _find(names: tuple[str, ...], given: str | None, role: str) -> str | None:
    if given is not None:
        return given if given in names else None
    by_lower = {name.lower(): name for name in reversed(names)}
    return next((by_lower[known] for known in KNOWN[role] if known in by_lower), None)
