"""LoRA weights on top of a pipeline (Hu et al. 2021, arXiv 2106.09685), read from safetensors and fused into it.

Fused, so that an image costs what it costs without, and so that what looks inside finds the layers it knows.

    >>> parse_lora("style.safetensors:0.8")
    ('style.safetensors', 0.8)
"""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub
import torch

from scanner.errors import UnusableInputError
from scanner.targets._quiet import quiet
from scanner.targets._repository import one_line


def parse_lora(given: str) -> tuple[str, float]:
    """PATH_OR_HUB[:SCALE] → the place and the scale, 1 by default."""
    place, colon, scale = given.rpartition(":")
    try:
        return (place, float(scale)) if colon else (given, 1.0)
    except ValueError:
        return given, 1.0


def add_loras(pipe: Any, given: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Fuse LoRA weights into a pipeline, in order.

    Returns a line on each (file, scale, layers changed), and what to add to the target's checksum ("" for none).
    Raises UnusableInputError, in one sentence, for weights that can't be had or read or that match no layer.
    """
    lines, digest = [], hashlib.sha256()
    for number, one in enumerate(given):
        place, scale = parse_lora(one)
        file = _find(place)
        layers = _fuse(pipe, file, f"lora_{number}", scale)
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{content}:{scale}\n".encode())
        lines.append(f"{place} (sha256 {content[:16]}), scale {scale:g}, {layers} layers")
    return tuple(lines), digest.hexdigest() if lines else ""


def _fuse(pipe: Any, file: Path, adapter: str, scale: float) -> int:
    """Layers that changed."""
    if not hasattr(pipe, "load_lora_weights"):
        raise UnusableInputError(f"A {type(pipe).__name__} takes no LoRA weights; leave out --lora.")
    if find_spec("peft") is None:
        raise UnusableInputError('LoRA weights need the package peft: pip install "trainset-scanner[lora]".')
    try:
        with quiet():
            pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name=adapter, use_safetensors=True)
            layers = _layers(pipe, adapter)
            if layers:
                pipe.fuse_lora(_parts(pipe, adapter), lora_scale=scale, adapter_names=[adapter], safe_fusing=True)
                pipe.unload_lora_weights()
    except Exception as error:  # any library below may raise anything of its own on weights of another model
        raise UnusableInputError(f"The LoRA {file} does not fit the target ({one_line(error)}).") from error
    if not layers:
        raise UnusableInputError(f"The LoRA {file} matches no layer of the target; it belongs to another model.")
    return layers


def _layers(pipe: Any, adapter: str) -> int:
    return sum(len(_adapted(module, adapter)) for module in _modules(pipe).values())


def _parts(pipe: Any, adapter: str) -> list[str]:
    return [name for name, module in _modules(pipe).items() if _adapted(module, adapter)]


def _modules(pipe: Any) -> dict[str, torch.nn.Module]:
    return {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}


def _adapted(module: torch.nn.Module, adapter: str) -> list[str]:
    return [name for name, layer in module.named_modules() if adapter in getattr(layer, "lora_A", {})]


def _find(place: str) -> Path:
    """The safetensors file: itself, the only one of a folder, or of a repository of the hub."""
    path = Path(place).expanduser()
    if path.is_file():
        if path.suffix != ".safetensors":
            raise UnusableInputError(f"The LoRA {place} is not a safetensors file; convert it first.")
        return path
    if path.is_dir():
        return path / _only(place, [file.name for file in sorted(path.glob("*.safetensors"))])
    if place.startswith((".", "/", "~")) or place.count("/") != 1:
        raise UnusableInputError(f"There is no LoRA {place}; give a safetensors file, its folder, or owner/name.")
    try:
        files = huggingface_hub.list_repo_files(place)
        name = _only(place, [file for file in files if file.endswith(".safetensors")])
        return Path(huggingface_hub.hf_hub_download(place, name))
    except UnusableInputError:
        raise
    except Exception as error:  # no network, no such repository, no access: each of its own kind
        raise UnusableInputError(f"The LoRA {place} can't be downloaded ({one_line(error)}).") from error


def _only(place: str, names: Sequence[str]) -> str:
    if len(names) != 1:
        raise UnusableInputError(f"{place} holds {len(names)} safetensors files; give the path of one.")
    return names[0]
