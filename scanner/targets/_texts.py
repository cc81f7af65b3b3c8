"""How much of a caption the text encoders read: pipelines cut what is longer, and a note says how much was lost."""

import inspect
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from diffusers import IFPipeline
from transformers import CLIPTokenizer, T5Tokenizer

from scanner.errors import UnusableInputError

IF_WINDOW = 77
"""Tokens that DeepFloyd IF was trained with; its pipeline has the number in its code."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """One text encoder's window."""

    name: str
    """The tokenizer, as the pipeline calls it."""
    tokenizer: Any
    """Loaded."""
    tokens: int
    """Most tokens it reads, those that begin and end a text among them."""


def cleans_captions(pipe: Any, asked: bool | None, stored: bool | None) -> bool:
    """Whether the pipeline cleans captions: as asked, else as in the training, else as it does by default.

    Raises UnusableInputError where the packages for it are missing: the pipelines would leave it out with a warning.
    """
    if "clean_caption" not in inspect.signature(type(pipe).__call__).parameters:
        return False
    cleans = asked if asked is not None else stored if stored is not None else True
    if cleans and not (find_spec("bs4") and find_spec("ftfy")):
        raise UnusableInputError(
            f"A {type(pipe).__name__} cleans captions with the packages beautifulsoup4 and ftfy, which are not "
            "installed; install them, or give --clean-captions off."
        )
    return cleans


def windows_of(pipe: Any) -> tuple[Window, ...]:
    """The windows of a pipeline's CLIP and T5 encoders; others are not known well enough to count for."""
    tokenizers = {name: part for name, part in pipe.components.items() if name.startswith("tokenizer")}
    return tuple(
        Window(name=name, tokenizer=part, tokens=_tokens(pipe, part))
        for name, part in tokenizers.items()
        if isinstance(part, (CLIPTokenizer, T5Tokenizer))
    )


def _tokens(pipe: Any, tokenizer: Any) -> int:
    if isinstance(tokenizer, CLIPTokenizer):
        return int(tokenizer.model_max_length)
    if isinstance(pipe, IFPipeline):
        return IF_WINDOW
    asked = inspect.signature(type(pipe).__call__).parameters.get("max_sequence_length")
    return int(tokenizer.model_max_length if asked is None else asked.default)


def cut_note(pipe: Any, windows: tuple[Window, ...], caption: str, *, clean_captions: bool) -> str | None:
    """One sentence on what no longer fits of a caption; None where all of it is read."""
    text = caption
    if hasattr(pipe, "_text_preprocessing"):
        text = pipe._text_preprocessing(caption, clean_caption=clean_captions)[0]
    counted = [(window, len(window.tokenizer(text, verbose=False)["input_ids"])) for window in windows]
    cut = [f"{count - window.tokens} of {count} tokens ({window.name})" for window, count in counted]
    lost = [words for words, (window, count) in zip(cut, counted, strict=True) if count > window.tokens]
    return f"Cut to the text encoder's window: {', '.join(lost)}." if lost else None
