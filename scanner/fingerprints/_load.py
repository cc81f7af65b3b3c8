"""Find an embedding model and its weights, or say in one sentence why they can't be had.

open_clip goes on with random weights when a checkpoint is missing, tries an unreachable hub for long, and logs to the
root logger, which prints; here everything is checked first and raised as one error.

    >>> load_model("ViT-B-32", "laion2b_s34b_b79k").name      # doctest: +SKIP
    'ViT-B-32/laion2b_s34b_b79k'
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from scanner.errors import UnusableInputError
from scanner.fingerprints._demo_model import fold_batch_norm, load_demo_model, prepare
from scanner.fingerprints._hub import answers, is_cached

INSTEAD = "use `--model local-dir:DIR` with a downloaded model, or `--model demo`"
LOCAL = "local-dir:"
HUB = "hf-hub:"


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network with its weights, in the shape of open_clip's."""

    name: str
    """As the user named it, with its tag."""
    network: nn.Module
    """Has `encode_image`, and `encode_text` where it has a text tower."""
    checksum: str
    """sha-256 of the weights: every tensor's name, type, shape and bytes, hex."""
    prepare: Callable[[NDArray[np.uint8]], Tensor]
    """A picture (uint8, h × w × 3) as the network's input (float32, 3 × side × side)."""
    tokenizer: str | None
    """open_clip's name for its tokenizer; None without a text tower."""


def load_model(model: str, pretrained: str | None) -> Model:
    """Load `demo`, `local-dir:DIR`, `hf-hub:ORG/NAME`, or an open_clip name with the tag or file of its weights.

    Raises UnusableInputError for a model that is unknown or whose weights can't be had.
    """
    if pretrained is not None and (model == "demo" or model.startswith((LOCAL, HUB))):
        raise UnusableInputError(f"{model} brings its own weights; leave {pretrained!r} out.")
    if model == "demo":
        demo = load_demo_model()
        checksum = _checksum(demo)
        return Model(name=model, network=fold_batch_norm(demo), checksum=checksum, prepare=prepare, tokenizer=None)
    if model.startswith(LOCAL):
        _check_directory(Path(model.removeprefix(LOCAL)))
    elif model.startswith(HUB):
        _check_hub(model, model.removeprefix(HUB), "open_clip_config.json")
    else:
        _check_tag(model, pretrained)
    return _load(model, pretrained)


def _load(model: str, pretrained: str | None) -> Model:
    name = model if pretrained is None else f"{model}/{pretrained}"
    try:
        with quiet_logging():
            network, transform = open_clip.create_model_from_pretrained(model, pretrained=pretrained)
    except Exception as error:  # open_clip wraps what it meets in RuntimeError, ValueError, AssertionError, ...
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UnusableInputError(f"The model {name} can't be loaded ({said}); {INSTEAD}.") from error
    return Model(
        name=name,
        network=network,
        checksum=_checksum(network),
        prepare=lambda picture: transform(Image.fromarray(picture)),
        tokenizer=model,
    )


def _checksum(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _check_directory(folder: Path) -> None:
    if not (folder / "open_clip_config.json").is_file():
        raise UnusableInputError(f"{folder} is not an open_clip model: it has no open_clip_config.json; {INSTEAD}.")
    if not any(path for suffix in ("safetensors", "bin", "pth") for path in folder.glob(f"*.{suffix}")):
        raise UnusableInputError(
            f"{folder} has no weights (*.safetensors, *.bin or *.pth), and random ones are of no use; "
            "put the model's checkpoint there."
        )


def _check_tag(model: str, pretrained: str | None) -> None:
    if open_clip.get_model_config(model.replace("/", "-")) is None:
        raise UnusableInputError(f"open_clip has no model named {model}; see `open_clip.list_models()`, or {INSTEAD}.")
    tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none, so give a checkpoint file"
    if pretrained is None:
        raise UnusableInputError(f"{model} needs a tag that says which weights (without, they are random): {tags}.")
    config = open_clip.get_pretrained_cfg(model, pretrained)
    if not config and not Path(pretrained).is_file():
        raise UnusableInputError(f"{model} has no weights named {pretrained}; it has: {tags}.")
    if config and config.get("hf_hub"):
        repository, _, file = config["hf_hub"].rpartition("/")
        _check_hub(f"{model}/{pretrained}", repository, file or "open_clip_pytorch_model.bin")


def _check_hub(name: str, repository: str, file: str) -> None:
    """Refuse at once when the file is not in the hub's cache and the hub can't be reached."""
    candidates = {file, "open_clip_model.safetensors", str(Path(file).with_suffix(".safetensors"))}
    if not is_cached(repository, candidates) and not answers(repository, file):
        raise UnusableInputError(
            f"The weights of {name} are on the Hugging Face hub, which can't be reached from here; {INSTEAD}."
        )


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Keep log lines off: what they would say is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
