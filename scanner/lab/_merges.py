"""Byte-pair merges, counted on the captions themselves (Sennrich et al. 2016, arXiv 1508.07909).

The most frequent pair of neighbours is joined everywhere, again and again; ties go to the first in the alphabet.
`tokenizers.trainers.BpeTrainer` breaks ties differently from run to run, and so would give another model each time.

    >>> merges(Counter({tuple("hot"): 2, tuple("hop"): 1}), 2)
    [('h', 'o'), ('ho', 't')]
"""

from collections import Counter, defaultdict
from itertools import pairwise

Pair = tuple[str, str]
Word = tuple[str, ...]


def merges(counts: Counter[Word], limit: int) -> list[Pair]:
    """At most `limit` joined pairs, in their order, of words spelled in symbols, with the words' frequencies."""
    frequency: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[Word]] = defaultdict(set)
    spelled = {word: word for word in counts}
    for word, count in counts.items():
        for pair in pairwise(word):
            frequency[pair] += count
            holders[pair].add(word)
    found: list[Pair] = []
    while len(found) < limit and frequency:
        best = min(frequency, key=lambda pair: (-frequency[pair], pair))
        found.append(best)
        for word in holders.pop(best):
            before, after = spelled[word], join(spelled[word], best)
            spelled[word] = after
            _recount(frequency, before, after, counts[word])
            for pair in pairwise(after):
                holders[pair].add(word)
    return found


def join(word: Word, pair: Pair) -> Word:
    """The word with every occurrence of the pair joined, from left to right."""
    joined: list[str] = []
    for part in word:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def _recount(frequency: Counter[Pair], before: Word, after: Word, count: int) -> None:
    for pair in pairwise(before):
        frequency[pair] -= count
        if frequency[pair] == 0:
            del frequency[pair]
    for pair in pairwise(after):
        frequency[pair] += count
