"""A CLIP tokenizer whose byte-pair vocabulary is trained on the captions themselves.

CLIP's own vocabulary (49,408 tokens) would need more parameters than the whole denoiser. The format is kept:
lower case, byte-level, `</w>` ends a word, the end token is also the padding.

    >>> train_tokenizer(["a red hat", "a red cat"], vocabulary=600, tokens=8)("red")["input_ids"]
    [0, 516, 1]
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

from scanner.lab._merges import Word, merges

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
BEGIN_ID, END_ID = 0, 1
WORD_END = "</w>"
SMALLEST_VOCABULARY = 514
"""Begin, end, and the 256 bytes inside and at the end of a word."""


def train_tokenizer(captions: Sequence[str], *, vocabulary: int, tokens: int) -> CLIPTokenizer:
    """A tokenizer with at most `vocabulary` tokens (at least 514) that pads and cuts prompts to `tokens`.

    Every byte has a token, inside and at the end of a word, so no prompt holds an unknown token.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = [BEGIN, END, *letters, *(letter + WORD_END for letter in letters)]
    joined = merges(_words(captions), vocabulary - len(base))
    tokens_of = dict.fromkeys([*base, *("".join(pair) for pair in joined)])
    vocab = {token: number for number, token in enumerate(tokens_of)}
    return CLIPTokenizer(vocab=vocab, merges=joined, model_max_length=tokens)  # type: ignore[arg-type, unused-ignore]


def _words(captions: Iterable[str]) -> Counter[Word]:
    """The words as CLIP's tokenizer splits them, in single bytes, with their frequencies."""
    backend = CLIPTokenizer().backend_tokenizer
    counts: Counter[Word] = Counter()
    for caption in captions:
        split = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(caption))
        counts.update((*word[:-1], word[-1] + WORD_END) for word, _ in split)
    return counts
