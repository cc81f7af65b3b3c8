"""Where a pipeline's files are, which of them would be loaded, and what is refused before anything is.

A folder, or a repository of the hub, whose listing is judged before its weights are downloaded. Refused unless
allowed by name: Python code that the repository brings, and weights that are pickles (both can run anything on this
machine). Refused in any case: weights that are incomplete, which the libraries would fill up with random numbers.

    >>> find_repository("models/mine").parts["unet"]                          # doctest: +SKIP
    ('diffusers', 'UNet2DConditionModel')
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import diffusers
import huggingface_hub
import torch

from scanner.errors import UnusableInputError
from scanner.targets._options import PICKLE, REMOTE_CODE
from scanner.targets._quiet import quiet

INDEX = "model_index.json"
PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
_VARIANT = re.compile(r"^[a-z_]*model\.(?P<variant>\w+?)(-\d{5}-of-\d{5})?\.(safetensors|bin)$")
"""diffusion_pytorch_model.fp16.safetensors, model.fp16-00001-of-00002.safetensors"""
_LONGEST_HEADER = 100_000_000
"""Bytes; the format allows no more."""
_PICKLED = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
"""Types of numbers, as safetensors calls them."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The files of a pipeline, listed."""

    name: str
    """As the user gave it."""
    files: frozenset[str]
    """Paths from its root, with /."""
    index: dict[str, Any]
    """What model_index.json holds."""
    folder: Path | None = None
    """Where it is on this machine; None for one of the hub that is not downloaded."""

    @property
    def parts(self) -> dict[str, tuple[str, str]]:
        """The pipeline's parts that are loaded: name → (library, class)."""
        named = {name: value for name, value in self.index.items() if not name.startswith("_")}
        pairs = {name: value for name, value in named.items() if isinstance(value, list) and len(value) == 2}
        return {name: (str(library), str(kind)) for name, (library, kind) in pairs.items() if library}

    def weights(self, part: str, suffixes: Iterable[str]) -> list[str]:
        """Names of a part's weight files with one of these suffixes."""
        inside = [PurePosixPath(file) for file in sorted(self.files)]
        return [path.name for path in inside if str(path.parent) == part and path.suffix in suffixes]


def find_repository(name: str) -> Repository:
    """List a folder or a repository of the hub. Raises UnusableInputError where there is none."""
    folder = Path(name)
    if folder.is_dir():
        if not (folder / INDEX).exists():
            raise UnusableInputError(f"{name} holds no diffusers pipeline (it has no model_index.json).")
        return _listed(name, folder)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise UnusableInputError(
            f"There is no target {name}; give a folder with a diffusers pipeline, or owner/name on the hub."
        )
    return _on_hub(name)


def _listed(name: str, folder: Path) -> Repository:
    files = frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return Repository(name=name, files=files, index=_read_index(name, folder / INDEX), folder=folder)


def _on_hub(name: str) -> Repository:
    """The hub's listing; where the hub can't be reached, what was downloaded before."""
    try:
        info = huggingface_hub.model_info(name)
        index = huggingface_hub.hf_hub_download(name, INDEX, revision=info.sha)
        files = frozenset(sibling.rfilename for sibling in info.siblings or ())
        return Repository(name=name, files=files, index=_read_index(name, Path(index)))
    except UnusableInputError:
        raise
    except Exception as error:  # no network, no such repository, no access: each of its own kind
        cached = huggingface_hub.try_to_load_from_cache(name, INDEX)
        if isinstance(cached, str):
            return _listed(name, Path(cached).parent)
        raise UnusableInputError(
            f"The target {name} can't be loaded ({one_line(error)}); give a folder with a diffusers pipeline, or "
            "owner/name where the hub can be reached."
        ) from error


def _read_index(name: str, path: Path) -> dict[str, Any]:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        return dict(index) | {"_class_name": index["_class_name"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInputError(f"The model_index.json of {name} does not name a pipeline.") from error


def refuse_remote_code(repository: Repository, allow: tuple[str, ...]) -> None:
    """Raises UnusableInputError for a pipeline that brings its own code, or names code that is not diffusers'."""
    if REMOTE_CODE in allow:
        return
    own = isinstance(repository.index["_class_name"], list)
    named = [f"{library}.{kind}" for library, kind in repository.parts.values() if not _is_known(library)]
    parts = {".", *repository.parts}
    files = [file for file in sorted(repository.files) if file.endswith(".py") and str(Path(file).parent) in parts]
    if own or named or files:
        what = ", ".join([*files, *named]) or str(repository.index["_class_name"])
        raise UnusableInputError(
            f"The target {repository.name} wants Python code of its own to be run ({what}); give --allow remote-code "
            "if you trust its authors."
        )


def _is_known(library: str) -> bool:
    return library in ("diffusers", "transformers") or hasattr(diffusers.pipelines, library)


def refuse_pickles(repository: Repository, allow: tuple[str, ...]) -> None:
    """Raises UnusableInputError for a part whose weights are pickles only."""
    if PICKLE in allow:
        return
    for part in repository.parts:
        pickles = repository.weights(part, PICKLES)
        if pickles and not repository.weights(part, {".safetensors"}):
            raise UnusableInputError(
                f"The weights {part}/{pickles[0]} of {repository.name} are a pickle, which can run code when it is "
                "read; save them as safetensors, or give --allow pickle if you trust their authors."
            )


def chosen_variant(repository: Repository, *, half: bool) -> str | None:
    """The variant to load (fp16, ...): fp16 in half precision where there is one, else one that a part has nothing
    but, else none. The libraries take the plain files of parts that do not have it."""
    names = [repository.weights(part, {".safetensors"} | PICKLES) for part in repository.parts]
    variants = [[match["variant"] if (match := _VARIANT.match(name)) else None for name in part] for part in names]
    if half and any("fp16" in part for part in variants):
        return "fp16"
    alone = {variant for part in variants if None not in part for variant in part if variant}
    return min(alone) if alone else None


def download(repository: Repository, variant: str | None, allow: tuple[str, ...]) -> Repository:
    """The repository with a folder on this machine: downloaded where it is on the hub."""
    if repository.folder is not None:
        return repository
    try:
        with quiet():
            folder = diffusers.DiffusionPipeline.download(
                repository.name,
                variant=variant,
                use_safetensors=None if PICKLE in allow else True,
                trust_remote_code=REMOTE_CODE in allow,
            )
    except Exception as error:  # any library below may raise anything of its own
        raise UnusableInputError(f"The target {repository.name} can't be downloaded ({one_line(error)}).") from error
    return _listed(repository.name, Path(folder))


def loaded_files(repository: Repository, part: str, variant: str | None) -> list[Path]:
    """The weight files of a part that are read: those of the variant if it has any, safetensors before pickles."""
    assert repository.folder is not None
    for suffixes in ({".safetensors"}, PICKLES):
        names = repository.weights(part, suffixes)
        of_variant = [name for name in names if (match := _VARIANT.match(name)) and match["variant"] == variant]
        chosen = of_variant or [name for name in names if not _VARIANT.match(name)]
        if chosen:
            return [repository.folder / part / name for name in chosen]
    return []


def stored_sizes(files: Iterable[Path]) -> dict[str, tuple[int, str]]:
    """By tensor: how many numbers it holds, and their type as safetensors calls it.

    Raises UnusableInputError for a file that can't be read.
    """
    sizes: dict[str, tuple[int, str]] = {}
    for file in files:
        try:
            sizes |= _of_safetensors(file) if file.suffix == ".safetensors" else _of_pickle(file)
        except Exception as error:  # cut short, not what its name says: each format raises its own
            raise UnusableInputError(f"The weights {file} can't be read ({one_line(error)}).") from error
    return sizes


def _of_safetensors(file: Path) -> dict[str, tuple[int, str]]:
    """From the header alone: its length in 8 bytes, then JSON. Weights need not fit the memory for it."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(min(length, _LONGEST_HEADER)))
    parts = {name: part for name, part in header.items() if name != "__metadata__"}
    if file.stat().st_size != 8 + length + max((part["data_offsets"][1] for part in parts.values()), default=0):
        raise ValueError("it is cut short")
    return {name: (math.prod(part["shape"]), part["dtype"]) for name, part in parts.items()}


def _of_pickle(file: Path) -> dict[str, tuple[int, str]]:
    tensors = torch.load(file, map_location="meta", weights_only=True)
    return {key: (tensor.numel(), _PICKLED.get(tensor.dtype, str(tensor.dtype))) for key, tensor in tensors.items()}


def refuse_incomplete(pipe: Any, repository: Repository, variant: str | None) -> None:
    """Raises UnusableInputError for a part whose files hold fewer tensors or numbers than the model has."""
    for part, module in pipe.components.items():
        if not isinstance(module, torch.nn.Module):
            continue
        stored = stored_sizes(loaded_files(repository, part, variant))
        wanted = [parameter.numel() for parameter in module.parameters()]
        fixed = {name for name, _ in module.named_buffers()}  # stored by some, and no weights
        stored = {name: size for name, size in stored.items() if name not in fixed}
        numbers = sum(size for size, _ in stored.values())
        if len(stored) < len(wanted) or numbers < sum(wanted):
            raise UnusableInputError(
                f"The weights of {part} in {repository.name} are incomplete ({len(stored)} tensors of {numbers} "
                f"numbers where the model has {len(wanted)} of {sum(wanted)}); save or download the pipeline again."
            )


def folder_checksum(folder: Path) -> str:
    """sha-256 over the names and contents of a folder's configuration and weights, hex."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".json", ".safetensors", ".txt", ".model", ".py"} | PICKLES:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def one_line(error: BaseException) -> str:
    """What an exception says, on one line of at most 200 characters."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
