"""A run's stored embeddings of the rows that are asked for, read from disk without the others.

A sample_id says where its embedding lies: the upper 32 bits are the number of its shard's file, the lower ones its row.

>>> found, rows = pick_embeddings(Path("RUN"), np.array([0, 2**32 + 5]))    # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scanner.fingerprints._seen import open_part
from scanner.tables import SAMPLES


def pick_embeddings(run: Path, sample_ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
    """Which of the ids (n,) have an embedding, and those (m, width), float16, in the order of the ids.

    Raises ScannerError when a shard's embeddings can't be read.
    """
    order = np.argsort(sample_ids, kind="stable")  # so that a file is opened once, and read forwards
    numbers, starts = np.unique(sample_ids[order] >> 32, return_index=True)
    found, picked = np.zeros(len(sample_ids), np.bool_), []
    for number, start, end in zip(numbers.tolist(), starts, np.append(starts, len(order))[1:], strict=True):
        part, of_part = f"{number:05d}", order[start:end]
        if not SAMPLES.exists(run, part):
            continue
        stored = open_part(run, part)
        row = sample_ids[of_part] & (2**32 - 1)
        there = row < len(stored)
        found[of_part[there]] = True
        picked.append((of_part[there], stored[row[there]]))
    together = np.empty((len(sample_ids), picked[0][1].shape[1] if picked else 0), np.float16)
    for of_part, rows in picked:
        together[of_part] = rows
    return found, together[found]
