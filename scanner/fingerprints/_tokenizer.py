"""The tokenizer that belongs to an open_clip model, or one sentence on why it can't be had.

CLIP's own byte-pair table is in open_clip's wheel, so most models need nothing more. Models whose `text_cfg` names a
Hugging Face tokenizer (SigLIP, XLM-RoBERTa, mT5, ...) need its files: in the folder of a `local-dir:` model, which is
never left for the hub, or else in the hub's cache or on the hub, which is first asked whether it can be reached.

>>> load_tokenizer("ViT-B-32", name="ViT-B-32/openai")(["a red fox"]).shape     # doctest: +SKIP
torch.Size([1, 77])
"""

import json
from pathlib import Path
from typing import Any, Protocol, cast

import huggingface_hub
import open_clip
from torch import Tensor

from scanner.errors import ScannerError
from scanner.fingerprints._hub import answers, is_cached
from scanner.fingerprints._load import HUB, LOCAL, quiet_logging

_FILES = ("tokenizer_config.json", "tokenizer.json", "vocab.txt", "spiece.model")
"""Of a Hugging Face tokenizer's files, those of which it has at least one."""


class Tokenizer(Protocol):
    """Captions to token ids."""

    context_length: int
    """Tokens of a row, those that mark start and end included; longer captions are cut."""

    def __call__(self, texts: list[str], context_length: int | None = None) -> Tensor:
        """int64, (n, context_length)."""


def load_tokenizer(model: str, *, name: str) -> Tokenizer:
    """The tokenizer of `model`, as open_clip names it; `name` is what errors call the model.

    Raises ScannerError when it can't be had.
    """
    try:
        with quiet_logging():
            return cast(Tokenizer, open_clip.get_tokenizer(model, **_settings(model, name)))
    except ScannerError:
        raise
    except Exception as error:  # of open_clip, the hub or a tokenizer package
        where = f"; put its files into {model.removeprefix(LOCAL)}" if model.startswith(LOCAL) else ""
        raise ScannerError(f"The tokenizer of {name} can't be loaded{where}.") from error


def _settings(model: str, name: str) -> dict[str, Any]:
    """What keeps a Hugging Face tokenizer off the hub where its files are on this machine."""
    repository = _text_config(model).get("hf_tokenizer_name")
    if not repository:
        return {}
    local = model.startswith(LOCAL) or is_cached(repository, _FILES)
    if not local and not answers(repository, _FILES[0]):
        raise ScannerError(
            f"The tokenizer of {name} ({repository}) is on the Hugging Face hub, which can't be reached from here; "
            "use `--model local-dir:DIR` with its files in DIR."
        )
    return {"local_files_only": True} if local else {}


def _text_config(model: str) -> dict[str, Any]:
    """The model's `text_cfg`; empty where it has none."""
    if model.startswith(LOCAL):
        stored: str | Path | None = Path(model.removeprefix(LOCAL)) / "open_clip_config.json"
    elif model.startswith(HUB):
        stored = huggingface_hub.hf_hub_download(model.removeprefix(HUB), "open_clip_config.json")
    else:
        stored = None
    whole = open_clip.get_model_config(model) if stored is None else json.loads(Path(stored).read_text())["model_cfg"]
    return dict((whole or {}).get("text_cfg", {}))
