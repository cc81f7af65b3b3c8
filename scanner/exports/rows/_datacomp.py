"""DataComp's subset file: the uids to keep, for its resharder.

https://github.com/mlfoundations/datacomp (`resharder.py`) takes a .npy of dtype `u8,u8`, sorted: the upper and the
lower 64 bits of each uid's 32 hex digits. It looks every sample's uid up by bisection and writes the sample once for
each time that the uid stands in the file, so that each stands here once, and what does not stand here is left out.

In it are the rows that were read and are not dropped, and, where the run's keys are uids, also the rows in its ledger
(not read, or set aside by --where or --sample), unless those are to be dropped. Where uids are carried the ledger does
not know them: such rows are not in the subset, and are counted.

>>> subset(pl.Series(["00000000000000010000000000000002"])).tolist()
[(1, 2)]
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

UID = np.dtype([("f0", "u8"), ("f1", "u8")])


def subset(uids: pl.Series) -> NDArray[np.void]:
    """(n,) of dtype `u8,u8`: the uids of 32 hex digits, each once, sorted; nulls are left out."""
    different = uids.drop_nulls().unique().sort()
    packed = np.frombuffer(bytes.fromhex("".join(different)), dtype=">u8").reshape(-1, 2)
    found = np.empty(len(different), UID)
    found["f0"], found["f1"] = packed[:, 0], packed[:, 1]
    return found
