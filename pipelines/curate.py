"""Choose the demo's pictures from Debian's package `openclipart-png`: distinct, well titled, worth looking at.

Every PNG of the package carries its title, author and description as text; everything in it was dedicated to the
public domain. This recipe keeps the pictures whose title reads as a caption, whose drawing survives at 64 pixels, and
that are unlike every picture kept before them. It wrote `pictures.parquet` and `links.parquet` in `scanner/demo`
(see `SOURCES.md` there) and is kept so that the choice can be read and repeated; nothing else needs it.

    python -m pipelines.curate DIRECTORY_OF_OPENCLIPART_PNG OUT
"""

import html
import io
import re
import sys
import unicodedata
import warnings
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from scanner.demo import folded_caption, square

LONGEST_SIDE = (128, 160)
"""Pixels; each picture's own value between the two comes from a checksum of its path."""
WEBP_QUALITY = 82
SMALLEST_SOURCE = 80
"""Pixels of the longest side below which a picture of the package is an icon, not a picture."""
WIDEST = 3.2
"""Largest ratio of the two sides: a longer strip is mostly padding in a square."""
LEAST_INK = 0.065
"""Smallest share of the square that is not nearly white, at 64 pixels."""
LEAST_CONTRAST = 0.105
"""Smallest standard deviation of the square at 64 pixels, on [0, 1]."""
NEAR_LOOK = 0.08
"""Mean absolute difference of two 32 × 32 thumbnails at mean 0, deviation 0.25, up to which they are near-duplicates."""
NEAR_BOTH = (0.16, 6)
"""The same difference, and the Hamming distance of two 64-bit perceptual hashes, that make a near-duplicate together."""
HEAVY_INK, HEAVY_CONTRAST, HEAVY_UNLIKE = 0.30, 0.22, 0.15
"""Least ink, contrast and difference (as `NEAR_LOOK`, in grey) to any other picture of a heavy group's picture."""
LINKS = 30
"""Pictures of the package that are filed under two paths, taken as natural duplicates."""

LEFT_OUT = Path(__file__).with_name("curate_left_out.txt")
"""Sources left out after looking at them, one a line, with the reason behind a `#`."""

COLLECTIONS = re.compile(
    r"collection|iconset|icon-theme|gramastar|svg theme|map symbols|various cliparts|rpg map|menu clip art"
    r"|inkscape|openclipart|clipart$|\bsvg\b|template|untitled|self portrait|example|\btest\b",
    re.IGNORECASE,
)
UNWANTED = re.compile(
    r"""\b(
    sexy|stripper|babe|nude?|nudo|nuda|naked|breast|bra|thong|panty\w*|lingerie|bikini|cannabis|marijuana
    |gallows|dead|hang(ed|man)|nazi|hitler|reich|swastika|svastica|sun[ ]?wheel|confederate|kkk|atomic|wmd
    |gun|ak47|bomb|mortar|grenade|incazzat\w*|cretin\w*|bush|saddam|osama|politic\w*|terror\w*|hate|hacked
    |pop[ ]up|chomper|apple's|atari|e[ ]mule|xbill|eclipse|lightsabers?|road[ ]runner|unesco|rpswb
    |martin[ ]luther[ ]king|drunk|middle[ ]finger|devil|satan\w*|cisco|alcatel|hp|nikon|sony|nokia|siemens
    |coke|coca|pepsi|orleans[ ]express|emule|quake|xbox|playstation|bmw|skoda|toyota|dodge|chevrolet|shelby
    |hummer|ferrari|porsche|vespa|volkswagen|garmin|magelan|geko|gentoo|debian|redhat|gnome|kde|kexi|jabber
    |linux|gnu|ubuntu|freebsd|md5|mozilla|firefox|thunderbird|apache|java|php|mysql|apple[ ]computer
    |macintosh|windows|microsoft|intel|amd|palm|clie|gameboy|nintendo|sprint|velocette|rca|doublesight
    |packman|pac-?man|tetris|pong|vgcats|rubik\S*|grune[ ]punkt|porcinet|piglet|mickey|barbie|brozo|otto
    |creative[ ]commons|openoffice|zinf|beckham|bpoe|debconf|wikipedia|google|yahoo|xml|rss|atom|lego
    |superman|batman|starbucks|mcdonald\S*|nfpa|route[ ]66
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
UNWANTED_FOLDERS = re.compile(
    r"pantyhose|/historic|logos/|computer/icons/|stickmen|special/|shapes/stars|cards/|flowchart|callouts|jigsaw|connectors"
)
WANTED_FOLDERS = re.compile(r"computer/icons/[^/]*$|computer/icons/(applications|etiquette)|cards/[^/]*$")

NOUNS = {
    "animals": "animal", "animals/birds": "bird", "animals/bugs": "insect", "animals/fish": "sea animal",
    "buildings": "building", "buildings/furniture": "furniture", "buildings/homes": "house", "computer": "computer",
    "containers": "container", "decorations": "decoration", "education": "school", "electronics": "electronics",
    "food": "food", "food/beverages": "drink", "food/desserts": "dessert", "food/fruit": "fruit",
    "food/vegetables": "vegetable", "geography": "geography", "geography/astronomy": "astronomy", "office": "office",
    "people": "people", "people/bodypart": "body part", "people/clothing": "clothing", "plants": "plant",
    "plants/flowers": "flower", "recreation": "leisure", "recreation/games": "game", "recreation/music": "music",
    "recreation/sports": "sports", "recreation/toys": "toy", "recreation/holiday": "holiday", "science": "science",
    "signs_and_symbols": "sign", "signs_and_symbols/flags": "flag", "signs_and_symbols/weather": "weather",
    "tools": "tool", "tools/weapons": "weapon", "transportation": "transport", "transportation/boating": "sailing",
}  # fmt: skip
"""What a one-word title is completed with, by the longest folder that matches: 'Bull, animal clip art'."""

FAMILIES = {
    "flag": (r"/flags/|\bflag\b", 84),
    "clock": (r"/clocks/|\bclock\b|\borologio\b", 12),
    "sign": (
        r"road_?sign|\bsign\b|hotel|keep.tidy|obligat|protection|sortie|inflamma|aiga|interdi|secour|direction|danger",
        76,
    ),
    "map": (r"geography/.*(map|region|state)|\bmap\b", 25),
    "button": (r"/buttons/|\bbutton\b|arrow|/led/", 26),
}
"""Families of look-alikes: what tells a member by path or caption, and how many are kept."""


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


@dataclass(frozen=True, kw_only=True)
class Look:
    """What near-duplicates are told by."""

    thumbnail: NDArray[np.float32]
    """3,072 values at mean 0, deviation 0.25."""
    grey: NDArray[np.float32]
    """1,024 values at mean 0, deviation 0.25."""
    phash: NDArray[np.bool_]
    """64 bits."""


def mended(text: str) -> str:
    """Text without entities, underscores, doubled spaces, joined words, or UTF-8 that was read as Latin-1."""
    text = html.unescape(text)
    try:
        text = text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        pass  # it was right as it was
    text = re.sub(r"(?i)^clip ?art by [^-]*- ", "", unicodedata.normalize("NFKC", text))
    text = re.sub(r"(?i)\b(architetto|rollandin|francesco|openclipart)\b|\.svg\b|[-_]aj\b|\(?email:.*", " ", text)
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-zA-Z]{3})(?=\d)", " ", text.replace("_", " "))
    text = re.sub(r"(?i)\bbw\b|\(b (&|and) w\)|\bb w\b", "in black and white", re.sub(r"(?<=\w)-(?=\w)", " ", text))
    text = re.sub(r"(?i)^in black and white (.+)", r"\1 in black and white", text.strip())
    text = re.sub(r"\s+([,.!?)])", r"\1", re.sub(r"\s+", " ", re.sub(r"#(?=\d)", " ", text)))
    return text.strip(" -.,|'\"")


def sources(root: Path) -> Iterator[Source]:
    """Every PNG under `root` that is a file of its own and of sane size, in order of its path."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    for path in sorted(root.rglob("*.png")):
        if path.is_symlink():
            continue
        try:
            with Image.open(path) as image:
                text = {str(key): str(value) for key, value in image.info.items() if isinstance(value, str)}
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            continue  # a dozen drawings of more than 89 million pixels
        author = re.sub(r"\S*[@/<]\S*|\(.*", "", mended(text.get("Author", ""))).strip(" -,.")
        yield Source(
            path=path.relative_to(root).as_posix(),
            title=mended(text.get("Title", "")),
            author=author,
            description=mended(text.get("Description", "")),
        )


def file_title(path: str, author: str) -> str:
    """The title that is left of a file's name without author, numbers and size marks; empty where it was cut."""
    stem = path.rsplit("/", 1)[1].removesuffix(".png")
    stem = re.sub(
        r"(?i)^aiga_|_0_symbol\w*|[-_](md|v0\.\d|ganson|aj|nae)(?=_|$).*|(?<=[a-z_])\d+$|_[a-z]?$",
        "",
        stem.replace("-", "_"),
    )
    if len(stem) > 21 or re.search(r"\d", stem):
        return ""
    names = author.casefold().split()
    kept = [
        word
        for word in mended(stem).split()
        if not any(name.startswith(word.casefold()) for name in names if len(word) > 2)
    ]
    return " ".join(kept)


def words(text: str) -> list[str]:
    """Words of two Latin letters or more."""
    return re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)


def noun(path: str) -> str | None:
    """What the picture's folder is called in a caption; None where it has no name that reads well."""
    folder = path.rsplit("/", 1)[0]
    while folder not in NOUNS and "/" in folder:
        folder = folder.rsplit("/", 1)[0]
    return NOUNS.get(folder)


def caption(source: Source) -> str | None:
    """The caption that a source's text gives, or None where it gives none that reads well."""
    title, said = source.title, source.description
    if not words(title) or COLLECTIONS.search(title) or re.search(r"[@\\/]|http|HASH", title) or len(title) > 70:
        return None
    if len(re.findall(r"[^\x20-\x7eÀ-ÿ'’]", title)) or folded_caption(title) == folded_caption(source.author):
        return None
    kind = noun(source.path)
    text = title
    if kind == "flag" and "flag" not in title.casefold():
        text = f"{title}, flag"
    elif len(words(title)) < 2:
        wordy = 2 <= len(words(said)) <= 8 and words(title)[0].casefold() in said.casefold()
        if wordy and not re.search(r"[@<]|http|HASH|inkscape|gmail", said, re.IGNORECASE):
            text = said
        elif kind is None or len(title) < 3:
            return None
        else:
            text = f"{title}, {kind} clip art"
    return text[0].upper() + text[1:]


def picture(path: Path, name: str) -> Image.Image | None:
    """The source on white, shrunk to its own longest side; None where it is too small or too long."""
    image = Image.open(path)
    width, height = image.size
    if max(width, height) < SMALLEST_SOURCE or max(width / height, height / width) > WIDEST:
        return None
    low, high = LONGEST_SIDE
    longest = low + zlib.crc32(name.encode()) % (high - low + 1)
    scale = longest / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = image.convert("RGBA").convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    white = Image.new("RGBA", size, "white")
    white.alpha_composite(small)
    return white.convert("RGB")


def ink_and_contrast(image: Image.Image) -> tuple[float, float]:
    """Share of the 64-pixel square that is not nearly white, and its standard deviation, both 0 to 1."""
    values = np.asarray(square(image, 64), dtype=np.float32) / 255
    return float((values.min(axis=2) < 0.85).mean()), float(values.std())


def look(image: Image.Image) -> Look:
    """Thumbnails and perceptual hash of a picture padded to a white square."""
    small = square(image, 32)
    grey = np.asarray(small.convert("L"), dtype=np.float64)
    waves = dctn(grey)[:8, :8].reshape(-1)
    return Look(thumbnail=_levelled(np.asarray(small)), grey=_levelled(grey), phash=waves > np.median(waves[1:]))


def _levelled(values: NDArray[Any]) -> NDArray[np.float32]:
    flat = values.reshape(-1).astype(np.float64)
    return ((flat - flat.mean()) / max(float(flat.std()), 1e-6) * 0.25).astype(np.float32)


def near(one: Look, thumbnails: NDArray[np.float32], hashes: NDArray[np.bool_]) -> bool:
    """Whether the picture is a near-duplicate of any of the (n, 3072) thumbnails and (n, 64) hashes."""
    if not len(thumbnails):
        return False
    difference = np.abs(thumbnails - one.thumbnail).mean(axis=1)
    both = (difference <= NEAR_BOTH[0]) & ((hashes != one.phash).sum(axis=1) <= NEAR_BOTH[1])
    return bool((both | (difference <= NEAR_LOOK)).any())


def titled(found: list[Source]) -> list[Source]:
    """The sources with a title of their own each.

    A title that a few authors share is told apart by the author; one that is on many pictures, or twice by one author
    (a collection's name, a forgotten template), says nothing, and the file's name takes its place.
    """
    authors: dict[str, list[str]] = {}
    for source in found:
        authors.setdefault(folded_caption(source.title), []).append(folded_caption(source.author))
    return [_with_own_title(source, authors[folded_caption(source.title)]) for source in found]


def _with_own_title(source: Source, authors: list[str]) -> Source:
    if len(authors) == 1:
        return source
    named = len(words(source.author)) >= 1 and len(source.author) <= 30 and source.title
    if named and len(authors) <= 4 and authors.count(folded_caption(source.author)) == 1:
        return replace(source, title=f"{source.title} by {source.author}", description="")
    return replace(source, title=file_title(source.path, source.author), description="")


def captioned(root: Path) -> list[tuple[Source, str]]:
    """Sources whose caption reads well and that no other source carries."""
    left_out = {line.split("#")[0].strip() for line in LEFT_OUT.read_text(encoding="utf-8").splitlines()}
    found = [(source, caption(source)) for source in titled(list(sources(root)))]
    carried = Counter(folded_caption(text) for _, text in found if text)
    return [
        (source, text)
        for source, text in found
        if text is not None and carried[folded_caption(text)] == 1 and source.path not in left_out
        if not UNWANTED.search(f"{text} {source.title} {source.description}")
        if not UNWANTED_FOLDERS.search(source.path) or WANTED_FOLDERS.search(source.path)
    ]


def family(path: str, text: str) -> str | None:
    """Name of the family of look-alikes that a picture belongs to, or None."""
    names = (name for name, (pattern, _) in FAMILIES.items() if re.search(pattern, f"{path} {text}", re.IGNORECASE))
    return next(names, None)


def choose(root: Path) -> pl.DataFrame:
    """The pictures to ship, one a row, in order of their path (columns as in `SOURCES.md`)."""
    kept: list[dict[str, object]] = []
    greys: list[NDArray[np.float32]] = []
    thumbnails, hashes = np.zeros((0, 3072), np.float32), np.zeros((0, 64), np.bool_)
    members: Counter[str] = Counter()
    order = sorted(captioned(root), key=lambda item: zlib.crc32(item[0].path.encode()))
    for source, text in order:
        name = family(source.path, text)
        if name and members[name] >= FAMILIES[name][1]:
            continue
        image = picture(root / source.path, source.path)
        if image is None:
            continue
        ink, contrast = ink_and_contrast(image)
        one = look(image)
        if ink < LEAST_INK or contrast < LEAST_CONTRAST or near(one, thumbnails, hashes):
            continue
        thumbnails, hashes = np.vstack([thumbnails, one.thumbnail]), np.vstack([hashes, one.phash])
        if name:
            members[name] += 1
        greys.append(one.grey)
        kept.append({
            "caption": text, "author": source.author, "source": source.path,
            "categories": source.path.rsplit("/", 1)[0], "family": name,
            "heavy": name is None and ink >= HEAVY_INK and contrast >= HEAVY_CONTRAST, "webp": _webp(image),
        })  # fmt: skip
    frame = pl.DataFrame(kept, schema_overrides={"family": pl.String})
    frame = frame.with_columns(pl.col("heavy") & pl.Series(nearest(np.stack(greys)) >= HEAVY_UNLIKE))
    return frame.sort("source").with_row_index("picture").cast({"picture": pl.Int64})


def nearest(greys: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean absolute difference of each of the (n, 1024) grey thumbnails to the one most like it."""
    found = np.zeros(len(greys), dtype=np.float32)
    for turn, grey in enumerate(greys):
        difference = np.abs(greys - grey).mean(axis=1)
        difference[turn] = np.inf
        found[turn] = difference.min()
    return found


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=6)
    return buffer.getvalue()


def links(root: Path, pictures: pl.DataFrame) -> pl.DataFrame:
    """Second paths of chosen pictures, each with its title and the second folder as caption: natural duplicates."""
    chosen = {row["source"]: row for row in pictures.iter_rows(named=True)}
    rows: dict[int, dict[str, object]] = {}
    for path in sorted(
        (path for path in root.rglob("*.png") if path.is_symlink()),
        key=lambda path: zlib.crc32(path.name.encode()),
    ):
        target = path.resolve().relative_to(root.resolve()).as_posix()
        source = path.relative_to(root).as_posix()
        kind = noun(source)
        if target not in chosen or kind is None or len(rows) == LINKS or chosen[target]["picture"] in rows:
            continue
        title = re.sub(r", [a-z ]+ clip art$|, flag$", "", chosen[target]["caption"])
        text = f"{title} ({kind})"
        rows[chosen[target]["picture"]] = {
            "picture": chosen[target]["picture"],
            "caption": text,
            "source": source,
        }
    return pl.DataFrame(list(rows.values())).sort("picture")


def curate(root: Path, out: Path) -> Iterable[Path]:
    """Write `pictures.parquet` and `links.parquet` into `out`; gives their paths."""
    pictures = choose(root)
    tables = {"pictures": pictures, "links": links(root, pictures)}
    for name, table in tables.items():
        table.write_parquet(out / f"{name}.parquet", compression="zstd")
        yield out / f"{name}.parquet"


if __name__ == "__main__":
    for written in curate(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{written}\n")
