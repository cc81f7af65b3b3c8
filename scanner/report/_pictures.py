"""The pictures of the report: originals, thumbnails and generations, made small and written into the page
itself.

Every picture is decoded and encoded again as WebP, at most SIDE pixels long, so that no byte of a data set's
file reaches the page as it is. An original that can't be had is shown by the 32 × 32 thumbnail of the samples
table.

    >>> gallery = collect(run, gather(run), pictures=None)                       # doctest: +SKIP
    >>> gallery.samples[17].thumbnail                                            # doctest: +SKIP
    True
"""

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import polars as pl
from PIL import Image

from scanner.report._findings import Findings
from scanner.report._sensitive import sensitive
from scanner.run import Run
from scanner.samples import Undecodable, decode
from scanner.tables import GENERATIONS, SAMPLES, UNCONDITIONAL

SIDE = 192
"""Longest side of a picture in the page, pixels."""
QUALITY = 90
MANY, QUALITY_OF_MANY = 700, 75
"""Beyond so many pictures (thumbnails aside) they are kept at the second quality: of three photographs 54 % of the
bytes, 4.3 in place of 7.9 kB."""
THUMBNAIL_SIDE = 32
BATCH = 32
"""Originals asked for at once, so that few encoded files are in memory."""

Name = TypeVar("Name")

Pictures = Callable[[Sequence[int]], Mapping[int, bytes]]
"""sample_ids → the encoded originals (JPEG, PNG, ...) of those that can be had."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as the page holds it."""

    uri: str
    """data:image/webp;base64,..."""
    width: int
    """Pixels as shown, at most SIDE."""
    height: int
    """Pixels as shown, at most SIDE."""
    thumbnail: bool
    """Whether it is the 32 × 32 square of the samples table, enlarged, instead of the picture."""
    sensitive: bool = False
    """Whether the data say that it shows people or is NSFW; asked only for pages that are blurred."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """All pictures of a page."""

    samples: Mapping[int, Picture]
    """By sample_id: the original, or its thumbnail where it can't be had."""
    thumbnails: Mapping[int, Picture]
    """By sample_id: the thumbnails of group members and prompts."""
    generations: Mapping[tuple[str, int], Picture]
    """By prompt_id and image_index."""
    unprompted: Mapping[int, Picture]
    """By image_index: images of a model that takes no prompt."""
    others: Mapping[int, Picture]
    """By sample_id of the other run that this one was compared with: the original, or its thumbnail."""
    fit: str | None
    """How the target's transform made originals square: crop, pad or squeeze; None where that is not known."""

    @property
    def has_originals(self) -> bool:
        """Whether any original is shown, not only thumbnails."""
        return any(not picture.thumbnail for picture in self.samples.values())

    @property
    def sensitive(self) -> int:
        """Rows whose picture is shown and sensitive."""
        shown = {**self.thumbnails, **self.samples}
        return sum(picture.sensitive for picture in shown.values())


@dataclass(frozen=True, kw_only=True)
class OtherRun:
    """The run that this one was compared with, where it is still at hand."""

    run: Run
    """The run."""
    pictures: Pictures | None
    """Its originals."""


def collect(
    run: Run, found: Findings, pictures: Pictures | None, other: OtherRun | None = None, *, blur: bool = False
) -> Gallery:
    """The pictures that the findings name; with `blur` it is asked which of them are sensitive."""
    large = {hit.original.sample_id for hit in found.hits if hit.original}
    large |= {group.medoid.sample_id for group in found.groups if group.medoid}
    large |= {match.sample.sample_id for match in found.matching if match.sample}
    small = {sample for group in found.groups for sample in group.members}
    small |= {prompt.sample_id for prompt in found.prompts if prompt.sample_id is not None}
    large |= {sample for family in found.templates.most for sample in family.members}
    large |= {one.kept.sample_id for one in (found.repair.most if found.repair else ()) if one.kept}
    large |= {one.sample.sample_id for one in (found.unconditional.most if found.unconditional else ()) if one.sample}
    small_pictures = thumbnails(run, large | small)
    quality = QUALITY if _shown(found) <= MANY else QUALITY_OF_MANY
    originals = _originals(sorted(large), pictures, quality) if pictures else {}
    gallery = Gallery(
        samples={sample: small_pictures[sample] for sample in large & small_pictures.keys()} | originals,
        thumbnails=small_pictures,
        generations=_generations(run, found, quality),
        unprompted=_unprompted(run, found, quality),
        others={} if other is None else _of_other(other, {match.other_sample_id for match in found.matching}, quality),
        fit=((run.part_config("attack") or {}).get("transform") or {}).get("fit"),
    )
    return _marked(gallery, found, sensitive(run, large | small)) if blur else gallery


def _shown(found: Findings) -> int:
    """Pictures that the page shows, thumbnails aside; one that it shows in two places is in it twice."""
    hits = sum(1 + len(hit.generations) for hit in found.hits)
    families = sum(len(family.members) for family in found.templates.most)
    memorised = len(found.unconditional.most) if found.unconditional else 0
    return hits + len(found.groups) + families + 2 * (len(found.matching) + memorised)


def _marked(gallery: Gallery, found: Findings, rows: set[int]) -> Gallery:
    """The gallery with these rows' pictures as sensitive, and with them what shows the same: their generations, and
    their matches in the other run."""
    hits = {hit.prompt_id for hit in found.hits if hit.original and hit.original.sample_id in rows}
    memorised = found.unconditional.most if found.unconditional else ()
    images = {one.image_index for one in memorised if one.sample and one.sample.sample_id in rows}
    matched = {match.other_sample_id for match in found.matching if match.sample and match.sample.sample_id in rows}
    return replace(
        gallery,
        samples=_mark(gallery.samples, rows),
        thumbnails=_mark(gallery.thumbnails, rows),
        generations=_mark(gallery.generations, {name for name in gallery.generations if name[0] in hits}),
        unprompted=_mark(gallery.unprompted, images),
        others=_mark(gallery.others, matched),
    )


def _mark(pictures: Mapping[Name, Picture], names: set[Name]) -> dict[Name, Picture]:
    return {name: replace(picture, sensitive=name in names) for name, picture in pictures.items()}


def _of_other(other: OtherRun, wanted: set[int], quality: int) -> dict[int, Picture]:
    originals = _originals(sorted(wanted), other.pictures, quality) if other.pictures else {}
    return thumbnails(other.run, wanted) | originals


def thumbnails(run: Run, wanted: set[int], *, blur: bool = False) -> dict[int, Picture]:
    """By sample_id, the pictures that the samples table holds; rows without one are left out. With `blur` it is asked
    which of them are sensitive."""
    frame = SAMPLES.scan(run.path).filter(pl.col("sample_id").is_in(sorted(wanted))).select("sample_id", "thumbnail")
    size = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    found = {
        sample: embed(Image.frombytes("RGB", size, pixels), thumbnail=True)
        for sample, pixels in frame.collect().iter_rows()
        if pixels is not None and len(pixels) == 3 * THUMBNAIL_SIDE**2
    }
    return _mark(found, sensitive(run, wanted)) if blur else found


def _originals(wanted: Sequence[int], pictures: Pictures, quality: int) -> dict[int, Picture]:
    found: dict[int, Picture] = {}
    for at in range(0, len(wanted), BATCH):
        batch = wanted[at : at + BATCH]
        encoded = pictures(batch)
        found |= _decoded(((sample, encoded[sample]) for sample in batch if sample in encoded), quality)
    return found


def _generations(run: Run, found: Findings, quality: int) -> dict[tuple[str, int], Picture]:
    wanted = [(hit.prompt_id, made.image_index) for hit in found.hits for made in hit.generations]
    names = ("prompt_id", "image_index")
    keys = pl.DataFrame(wanted, schema={name: GENERATIONS.schema[name] for name in names}, orient="row")
    frame = GENERATIONS.scan(run.path).join(keys.lazy(), on=names, how="semi").select(*names, "png").collect()
    return _decoded((((prompt_id, index), png or b"") for prompt_id, index, png in frame.iter_rows()), quality)


def _unprompted(run: Run, found: Findings, quality: int) -> dict[int, Picture]:
    wanted = [one.image_index for one in (found.unconditional.most if found.unconditional else ())]
    frame = UNCONDITIONAL.scan(run.path).filter(pl.col("image_index").is_in(wanted)).select("image_index", "png")
    return _decoded(((index, png or b"") for index, png in frame.collect().iter_rows()), quality)


def _decoded(encoded: Iterable[tuple[Name, bytes]], quality: int) -> dict[Name, Picture]:
    """The pictures that can be decoded; of the others the page says that they are not available."""
    found: dict[Name, Picture] = {}
    for name, content in encoded:
        try:
            found[name] = embed(Image.fromarray(decode(content)), quality=quality)
        except Undecodable:
            continue
    return found


def embed(image: Image.Image, *, thumbnail: bool = False, quality: int = QUALITY) -> Picture:
    """An RGB image as a data URI, made smaller where its longest side exceeds SIDE."""
    image = image.copy()
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, method=4)
    uri = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    return Picture(uri=uri, width=image.width, height=image.height, thumbnail=thumbnail)
