"""A boolean array in the row order of the data set, True where a row is to be dropped: snip-dedup's shape.

https://github.com/ryanwebster90/snip-dedup publishes `is_dup_*.npy` for LAION-2B-en: True marks a duplicate to remove,
one value for each row of the metadata files, the files sorted by name and their rows in stored order. Here likewise:
shards in the order of their names, each row of a shard in the order in which it is read. A row in the ledger (not read,
or set aside) has a value of its own at its place: False, it stays, or True where rows that could not be read are to be
dropped too; rows set aside always stay.

The run knows the order of the rows that were read; where a shard also has rows in the ledger, its rows are read once
more to see where those stand.

>>> shard_mask(items, {"a": True}, unread=False)                             # doctest: +SKIP
array([ True, False])
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from scanner.samples import Failure, Sample


def shard_mask(items: Iterable[Sample | Failure], dropped: Mapping[str, bool], *, unread: bool) -> NDArray[np.bool_]:
    """One value for each row of a shard that a reader gives; `dropped` says by key what becomes of the rows that were
    read, `unread` of those that could not be."""
    found = []
    for item in items:
        if isinstance(item, Sample):
            found.append(dropped.get(item.key, unread))
        elif item.key:
            found.append(item.stage != "select" and unread)
    return np.array(found, dtype=np.bool_)
