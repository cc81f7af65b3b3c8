"""The files of an evidence bundle.

BUNDLE/bundle.json            target and its checksum, settings, thresholds, versions, the hits' folders
BUNDLE/hits/ID/hit.json       prompt, verdict, every distance, every full-step image with its seed
BUNDLE/hits/ID/original.*     the training image's file, byte for byte; original-compared.png: as it was compared
BUNDLE/hits/ID/generation-SEED.png
BUNDLE/regenerate.py          makes the images again from their seeds and compares every pixel
BUNDLE/SHA256SUMS             of all of them, for `sha256sum --check`

The whole folder is written under another name and renamed, so that a bundle is complete or not there.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUNDLE_FILE = "bundle.json"
_SCRIPT = Path(__file__).with_name("regenerate.py")
_README = """\
Evidence of training images that a text-to-image model gave back.

Each folder in hits/ is one prompt: hit.json says what was asked, what came back and how near it lies to the training
image; original.* is that image as the data set holds it, original-compared.png as it was compared, and
generation-SEED.png are all images of full steps that were made of the prompt, those that do not show it among them.

  sha256sum --check SHA256SUMS            nothing was changed since the bundle was written
  python regenerate.py [--target MODEL]   makes every image again from its seed and compares all pixels
                                          (needs the package trainset-scanner and the model)

Equal pixels are to be expected on the machine, and with the versions, that bundle.json names; elsewhere rounding may
differ, and regenerate.py says by how much. The bundle holds training images: their rights are their owners'.
"""


@dataclass(frozen=True, kw_only=True)
class Original:
    """The training image of a hit."""

    facts: Mapping[str, Any]
    """Where it stands (shard, key, url), its caption and checksums, and its `state`: as_audited, gone, changed or
    undecodable."""
    file: bytes | None
    """Its file; None where it can't be had or has changed."""
    suffix: str | None
    """What the file's name ends with."""
    compared: bytes | None
    """PNG of it in the target's own transform."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A full-step image."""

    facts: Mapping[str, Any]
    """Its `seed`, `steps`, distances, and whether it `shows_original`."""
    png: bytes | None
    """The image; None where its pixels were not kept."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A verified prompt."""

    prompt_id: str
    """Names its folder."""
    facts: Mapping[str, Any]
    """What hit.json says besides original and generations."""
    original: Original
    """What came back."""
    generations: tuple[Generation, ...]
    """All full-step images, in the order of their numbers."""


def write_bundle(out: Path, facts: Mapping[str, Any], hits: Iterable[Hit]) -> int:
    """Write the folder `out`, which is not there yet, and return the number of hits. `facts` go into bundle.json."""
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        folders = [_write_hit(temporary, hit) for hit in hits]
        _write_json(temporary / BUNDLE_FILE, {**facts, "hits": folders})
        shutil.copyfile(_SCRIPT, temporary / _SCRIPT.name)
        (temporary / "README.txt").write_text(_README, encoding="utf-8")
        _write_sums(temporary)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(folders)


def _write_hit(bundle: Path, hit: Hit) -> str:
    folder = bundle / "hits" / hit.prompt_id
    folder.mkdir(parents=True)
    original = {**hit.original.facts, "file": None, "compared": None}
    if hit.original.file is not None:
        original["file"] = f"original{hit.original.suffix or ''}"
        (folder / original["file"]).write_bytes(hit.original.file)
    if hit.original.compared is not None:
        original["compared"] = "original-compared.png"
        (folder / original["compared"]).write_bytes(hit.original.compared)
    generations = [_write_generation(folder, number, one) for number, one in enumerate(hit.generations)]
    _write_json(folder / "hit.json", {**hit.facts, "original": original, "generations": generations})
    return str(folder.relative_to(bundle))


def _write_generation(folder: Path, number: int, generation: Generation) -> dict[str, Any]:
    if generation.png is None:
        return {**generation.facts, "file": None}
    seed = generation.facts["seed"]
    name = f"generation-{seed}.png" if seed is not None else f"generation-without-seed-{number}.png"
    (folder / name).write_bytes(generation.png)
    return {**generation.facts, "file": name}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_sums(bundle: Path) -> None:
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bundle).as_posix()}" for path in files]
    (bundle / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
