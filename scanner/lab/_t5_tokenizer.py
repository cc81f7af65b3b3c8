"""A T5 tokenizer whose pieces are trained on the captions themselves.

T5's own vocabulary has 32,128 pieces, chosen by SentencePiece's unigram training. The format is kept (a piece may begin
with `▁`, which stands for the space before a word; `</s>` ends a prompt, 0 pads it); the pieces are byte-pair merges of
the captions' characters. They all have the same score, so that a word is cut into as few pieces as it can be.

    >>> train_t5_tokenizer(["a red hat", "a red cat"], vocabulary=140)("red")["input_ids"]
    [76, 1]
"""

import string
from collections import Counter
from collections.abc import Iterable, Sequence

from transformers import T5Tokenizer

from scanner.lab._merges import Word, merges

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
PAD_ID, END_ID = 0, 1
SPACE = "▁"
TOKENS = 77
"""Tokens that `IFPipeline` pads and cuts a prompt to; it cannot be told another number."""


def train_t5_tokenizer(captions: Sequence[str], *, vocabulary: int) -> T5Tokenizer:
    """A tokenizer of lower-case captions with at most `vocabulary` pieces, or as many as they have characters.

    A character that stands in no caption and is not printable ASCII is unknown, as it is to T5.
    """
    words = _words(captions)
    letters = sorted({letter for word in words for letter in word} | set(_printable()))
    base = [PAD, END, UNKNOWN, *letters]
    pieces = dict.fromkeys([*base, *("".join(pair) for pair in merges(words, vocabulary - len(base)))])
    scores = [(piece, 0.0 if number < 3 else -1.0) for number, piece in enumerate(pieces)]
    return T5Tokenizer(vocab=scores, extra_ids=0, model_max_length=TOKENS)  # type: ignore[no-untyped-call, unused-ignore]


def as_if_reads_it(caption: str) -> str:
    """A caption as `IFPipeline` prepares it under `clean_caption=False` (or where bs4 is not installed)."""
    return caption.lower().strip()


def _words(captions: Iterable[str]) -> Counter[Word]:
    """The words with the space before them, in single characters, with their frequencies."""
    counts: Counter[Word] = Counter()
    for caption in captions:
        counts.update((SPACE, *word) for word in caption.split())
    return counts


def _printable() -> str:
    return SPACE + string.ascii_lowercase + string.digits + string.punctuation
