"""A CLIP tokenizer whose byte-pair vocabulary is trained on the captions themselves.

CLIP's own vocabulary (49,408 tokens) would need more parameters than the whole denoiser. The format is kept:
lower case, byte-level, `</w>` ends a word, the end token is also the padding. The merges are counted here and
not by `tokenizers.trainers.BpeTrainer`, which breaks ties differently from run to run.

    >>> train_tokenizer(["a red hat", "a red cat"], vocabulary=600, tokens=8)("red")["input_ids"]
    [0, 516, 1]
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tokenizers import pre_tokenizers
from transformers import CLIPTokenizer

BEGIN, END = "<|startoftext|>", "<|endoftext|>"
BEGIN_ID, END_ID = 0, 1
WORD_END = "</w>"
SMALLEST_VOCABULARY = 514
"""Begin, end, and the 256 bytes inside and at the end of a word."""

Pair = tuple[str, str]
Word = tuple[str, ...]


def train_tokenizer(captions: Sequence[str], *, vocabulary: int, tokens: int) -> CLIPTokenizer:
    """A tokenizer with at most `vocabulary` tokens (at least 514) that pads and cuts prompts to `tokens`.

    Every byte has a token, inside and at the end of a word, so no prompt holds an unknown token.
    """
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    base = [BEGIN, END, *letters, *(letter + WORD_END for letter in letters)]
    merges = _merges(_words(captions), vocabulary - len(base))
    joined = dict.fromkeys([*base, *("".join(pair) for pair in merges)])
    vocab = {token: number for number, token in enumerate(joined)}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=tokens)  # type: ignore[arg-type, unused-ignore]


def _words(captions: Iterable[str]) -> Counter[Word]:
    """The words as CLIP's tokenizer splits them, in single bytes, with their frequencies."""
    backend = CLIPTokenizer().backend_tokenizer
    counts: Counter[Word] = Counter()
    for caption in captions:
        split = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(caption))
        counts.update((*word[:-1], word[-1] + WORD_END) for word, _ in split)
    return counts


def _merges(counts: Counter[Word], limit: int) -> list[Pair]:
    """The most frequent pair, joined everywhere, again and again; ties go to the first in the alphabet."""
    frequency: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[Word]] = defaultdict(set)
    spelled = {word: word for word in counts}
    for word, count in counts.items():
        for pair in pairwise(word):
            frequency[pair] += count
            holders[pair].add(word)
    merges: list[Pair] = []
    while len(merges) < limit and frequency:
        best = min(frequency, key=lambda pair: (-frequency[pair], pair))
        merges.append(best)
        for word in holders.pop(best):
            before, after = spelled[word], _join(spelled[word], best)
            spelled[word] = after
            _recount(frequency, before, after, counts[word])
            for pair in pairwise(after):
                holders[pair].add(word)
    return merges


def _recount(frequency: Counter[Pair], before: Word, after: Word, count: int) -> None:
    for pair in pairwise(before):
        frequency[pair] -= count
        if frequency[pair] == 0:
            del frequency[pair]
    for pair in pairwise(after):
        frequency[pair] += count


def _join(word: Word, pair: Pair) -> Word:
    joined: list[str] = []
    for part in word:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
