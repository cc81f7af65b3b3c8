"""Images that were generated elsewhere, as a target: a folder or webdataset of them, each with its prompt.

Everything that `scanner.samples` reads is read: images with their prompts beside them or in a metadata table,
webdataset tars, parquet. The prompt is the field `prompt` where there is one (any case), else the caption; the seed is
the field `seed`. Prompts are matched as the run's are, by their normalised text.

A stored set can't be asked for an image of a given seed, and it has no steps. So an image is asked for by its number:
those of one prompt stand in a fixed order, by seed, then by key (those without a seed last). The full-step evidence is
the same images again: there are no others. An identical file counts once in a prompt unless its seeds differ, since
two copies of one image are no two generations that agree.

    >>> target = open_stored("generated/", fit="crop", size=None)              # doctest: +SKIP
    >>> target.count(prompt_id("a red fox")), target.generate(["a red fox"], [0], steps=0, guidance=0)  # doctest: +SKIP
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.prompts import prompt_id
from scanner.samples import Sample, StoredImages, Undecodable, decode, open_dataset
from scanner.targets._denoiser import Denoiser
from scanner.targets._target import Drawn, drawn
from scanner.targets._transform import Transform

LARGEST = 512
"""Side at which stored images are compared unless another is given, pixels; smaller images at their own."""
SIDE_STEP = 16
"""The side is a multiple of this: distances are bounded by means over 16 × 16 blocks."""
_SEEDS = range(2**63)
"""Seeds that are kept: −1 stands for a random one in many tools, and a table holds 63 bits."""


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """Where an image lies, and what is known of it."""

    file: str
    """The file that holds it, relative to the set's root."""
    offset: int
    """Where it begins there, or its row."""
    length: int
    """Its bytes."""
    key: str
    """Its shard and key, as the set names them."""
    seed: int | None
    """Its seed, if the set says."""
    sha256: str
    """Of its file."""


@dataclass(frozen=True, kw_only=True)
class StoredSet:
    """What was found in a folder of generated images."""

    images: Mapping[str, Sequence[StoredImage]]
    """By prompt_id, in the order in which they are given out."""
    checksum: str
    """sha-256 over every image with its prompt and seed, hex."""
    without_prompt: int
    """Images with no prompt, which can't be used."""
    repeated: int
    """Files that are in a prompt already, and count once."""
    unreadable: int
    """Rows that could not be read."""


class StoredTarget:
    """A set of generated images under attack; made by `open_stored`."""

    denoiser: Denoiser | None = None
    has_autoencoder = False
    batch = 16
    evaluations = 0

    def __init__(self, name: str, found: StoredSet, images: StoredImages, transform: Transform) -> None:
        self.name, self.found, self.transform, self.checksum = name, found, transform, found.checksum
        self._images = images

    def count(self, prompt: str) -> int:
        """How many images there are of a prompt, by its id."""
        return len(self.found.images.get(prompt, ()))

    def generate(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:  # noqa: ARG002 - the images are there
        """Per (caption, number) that image of the prompt: 0 is its first. `seeds` are such numbers, unlike a model's.

        An image that is not there has the defect `no_image`, a broken one the reason of `scanner.samples.decode`.
        """
        return [self._one(prompt_id(caption), number) for caption, number in zip(captions, seeds, strict=True)]

    def _one(self, prompt: str | None, number: int) -> Drawn:
        stored = self.found.images.get(prompt or "", ())
        if number >= len(stored):
            return Drawn(image=None, defect="no_image")
        image = stored[number]
        try:
            pixels = decode(self._images(image.file, image.offset, image.length))
        except Undecodable as error:
            return Drawn(image=None, defect=error.reason, note=f"{image.key}: {error.message}", seed=image.seed)
        made = drawn(self.transform(pixels).astype(np.float32) / np.float32(255))
        return replace(made, note=image.key, seed=image.seed)

    def reconstruct(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Never: a set of images has no autoencoder."""
        raise NotImplementedError


def open_stored(path: str | os.PathLike[str], *, fit: str | None = None, size: int | None = None) -> StoredTarget:
    """Open a set of generated images, reading all of it once.

    `fit` as `Transform.fit`, by default crop; `size` is the side of the compared images, by default the shorter side
    of the first one, at most LARGEST, rounded down to a multiple of SIDE_STEP. Raises UnusableInputError where there is
    no set, or no image with a prompt.
    """
    try:
        dataset = open_dataset(path)
    except UnusableInputError as error:
        raise UnusableInputError(f"{path} holds no diffusers pipeline (it has no model_index.json): {error}") from error
    found = _read(item for shard in dataset.shards for item in dataset.read(shard))
    if not found.images:
        raise UnusableInputError(
            f"{path} holds no diffusers pipeline (it has no model_index.json) and no image with the prompt that it was "
            "made from; give the prompts in a metadata.csv (file_name, prompt, seed), or in a .txt or .json beside "
            "each image."
        )
    images = StoredImages(str(dataset.root))
    side = size or max(SIDE_STEP, min(LARGEST, _first_side(found, images)) // SIDE_STEP * SIDE_STEP)
    return StoredTarget(os.fspath(path), found, images, Transform(fit=fit or "crop", size=side))


def _read(items: Iterator[Any]) -> StoredSet:
    by_prompt: dict[str, list[StoredImage]] = {}
    seeds: dict[tuple[str, str], set[int | None]] = {}
    digest = hashlib.sha256()
    without_prompt = repeated = unreadable = 0
    for item in items:
        if not isinstance(item, Sample) or item.encoded is None or item.file is None:
            unreadable += 1
            continue
        prompt = prompt_id(text) if (text := _prompt(item)) is not None else None
        if prompt is None:
            without_prompt += 1
            continue
        image = _stored(item, item.encoded, item.file)
        digest.update(f"{prompt} {image.seed} {image.sha256}\n".encode())
        known = seeds.setdefault((prompt, image.sha256), set())
        if known and (image.seed is None or None in known or image.seed in known):
            repeated += 1
        else:
            by_prompt.setdefault(prompt, []).append(image)
        known.add(image.seed)
    for stored in by_prompt.values():
        stored.sort(key=lambda image: (image.seed is None, image.seed or 0, image.key))
    return StoredSet(
        images=by_prompt,
        checksum=digest.hexdigest(),
        without_prompt=without_prompt,
        repeated=repeated,
        unreadable=unreadable,
    )


def _stored(item: Sample, encoded: bytes, file: str) -> StoredImage:
    return StoredImage(
        file=file,
        offset=item.offset,
        length=len(encoded),
        key=item.key if item.shard == "." else f"{item.shard}/{item.key}",
        seed=_seed(_field(item, "seed")),
        sha256=hashlib.sha256(encoded).hexdigest(),
    )


def _prompt(item: Sample) -> str | None:
    written = _field(item, "prompt")
    return written if isinstance(written, str) and written.strip() else item.caption


def _field(item: Sample, name: str) -> Any:
    return next((value for field, value in item.extra.items() if field.lower() == name), None)


def _seed(value: Any) -> int | None:
    """A seed as the set says it: a whole number, or the text of one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seed = int(value)
    except (ValueError, OverflowError):
        return None
    return seed if seed in _SEEDS and (isinstance(value, str) or seed == value) else None


def _first_side(found: StoredSet, images: StoredImages) -> int:
    """The shorter side of the first image that can be read, pixels."""
    for stored in found.images.values():
        for image in stored:
            try:
                return int(min(decode(images(image.file, image.offset, image.length)).shape[:2]))
            except Undecodable:
                continue
    raise UnusableInputError("None of the stored images can be read; look at one of the files.")
