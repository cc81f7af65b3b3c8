"""From the text inside a PNG to a caption: title, author and description, mended, judged and told apart.

>>> mended("A_house &amp; garden")
'A house & garden'
"""

import contextlib
import html
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from pipelines.curate._rules import COLLECTIONS, noun

LONGEST_TITLE = 70
"""Characters beyond which a title is a description, not a caption."""
LONGEST_STEM = 21
"""Letters of a file's name beyond which the package has cut it."""
SHARED_BY = 4
"""Authors that one title may stand for; on more pictures it is a template's."""
LONGEST_AUTHOR = 30
"""Characters of an author's name that is put into a caption, at most."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One PNG of the package and what its text says."""

    path: str
    """Inside the package's folder, with slashes."""
    title: str
    """Mended, not yet judged."""
    author: str
    """Without address."""
    description: str
    """Mended; often empty."""


def folded(text: str) -> str:
    """A caption without what does not tell two captions apart: form (NFKC), case, punctuation and spacing."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold().replace("_", " ")))


def words(text: str) -> list[str]:
    """Words of two Latin letters or more."""
    return re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)


def mended(text: str) -> str:
    """Text without entities, underscores, doubled spaces, joined words, or UTF-8 that was read as Latin-1."""
    text = html.unescape(text)
    with contextlib.suppress(UnicodeEncodeError, UnicodeDecodeError):  # then it was right as it was
        text = text.encode("latin-1").decode("utf-8")
    text = re.sub(r"(?i)^clip ?art by [^-]*- ", "", unicodedata.normalize("NFKC", text))
    text = re.sub(r"(?i)\b(architetto|rollandin|francesco|openclipart)\b|\.svg\b|[-_]aj\b|\(?email:.*", " ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-zA-Z]{3})(?=\d)", " ", text.replace("_", " "))
    text = re.sub(r"(?<=\w)-(?=\w)", " ", text)
    text = re.sub(r"(?i)\bbw\b|\(b (&|and) w\)|\bb w\b", "in black and white", text)
    text = re.sub(r"(?i)^in black and white (.+)", r"\1 in black and white", text.strip())
    text = re.sub(r"\s+([,.!?)])", r"\1", re.sub(r"\s+", " ", re.sub(r"#(?=\d)", " ", text)))
    return text.strip(" -.,|'\"")


def _texts(path: Path) -> dict[str, str] | None:
    """The text chunks of a PNG; None for the dozen drawings of more than 89 million pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as image:
                return {str(key): str(value) for key, value in image.info.items() if isinstance(value, str)}
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            return None


def sources(root: Path) -> Iterator[Source]:
    """Every PNG under `root` that is a file of its own and of sane size, in order of its path."""
    for path in sorted(root.rglob("*.png")):
        texts = None if path.is_symlink() else _texts(path)
        if texts is None:
            continue
        yield Source(
            path=path.relative_to(root).as_posix(),
            title=mended(texts.get("Title", "")),
            author=re.sub(r"\S*[@/<]\S*|\(.*", "", mended(texts.get("Author", ""))).strip(" -,."),
            description=mended(texts.get("Description", "")),
        )


def file_title(path: str, author: str) -> str:
    """The title that is left of a file's name without author, numbers and size marks; empty where it was cut."""
    stem = path.rsplit("/", 1)[1].removesuffix(".png").replace("-", "_")
    marks = r"(?i)^aiga_|_0_symbol\w*|[-_](md|v0\.\d|ganson|aj|nae)(?=_|$).*|(?<=[a-z_])\d+$|_[a-z]?$"
    stem = re.sub(marks, "", stem)
    if len(stem) > LONGEST_STEM or re.search(r"\d", stem):
        return ""
    names = author.casefold().split()
    of_author = [word for word in mended(stem).split() if any(_begins(name, word) for name in names)]
    return " ".join(word for word in mended(stem).split() if word not in of_author)


def _begins(name: str, word: str) -> bool:
    """Whether the word is a name or a name cut short."""
    return len(word) > 2 and name.startswith(word.casefold())


def titled(found: list[Source]) -> list[Source]:
    """The sources with a title of their own each.

    A title that a few authors share is told apart by the author; one that is on many pictures, or twice by one author
    (a collection's name, a forgotten template), says nothing, and the file's name takes its place.
    """
    authors: dict[str, list[str]] = {}
    for source in found:
        authors.setdefault(folded(source.title), []).append(folded(source.author))
    return [_with_own_title(source, authors[folded(source.title)]) for source in found]


def _with_own_title(source: Source, authors: list[str]) -> Source:
    if len(authors) == 1:
        return source
    named = words(source.author) and len(source.author) <= LONGEST_AUTHOR and source.title
    if named and len(authors) <= SHARED_BY and authors.count(folded(source.author)) == 1:
        return replace(source, title=f"{source.title} by {source.author}", description="")
    return replace(source, title=file_title(source.path, source.author), description="")


def _reads_well(source: Source) -> bool:
    """Whether the title is a caption, or a word that can be completed to one."""
    title = source.title
    if not words(title) or len(title) > LONGEST_TITLE or COLLECTIONS.search(title):
        return False
    if re.search(r"[@\\/]|http|HASH", title) or re.search(r"[^\x20-\x7eÀ-ÿ'’]", title):
        return False
    return folded(title) != folded(source.author)


def caption(source: Source) -> str | None:
    """The caption that a source's text gives, or None where it gives none that reads well."""
    if not _reads_well(source):
        return None
    title, kind = source.title, noun(source.path)
    if kind == "flag" and "flag" not in title.casefold():
        text = f"{title}, flag"
    elif len(words(title)) >= 2:
        text = title
    elif _describes(source.description, title):
        text = source.description
    elif kind is None or len(title) < 3:
        return None
    else:
        text = f"{title}, {kind} clip art"
    return text[0].upper() + text[1:]


def _describes(said: str, title: str) -> bool:
    """Whether a description can stand for a title of one word."""
    wordy = 2 <= len(words(said)) <= 8 and words(title)[0].casefold() in said.casefold()
    return wordy and not re.search(r"[@<]|http|HASH|inkscape|gmail", said, re.IGNORECASE)
