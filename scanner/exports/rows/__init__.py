"""Lists of rows to drop or to re-caption, and the data set without the dropped ones: one file per consumer.

>>> from scanner.exports.rows import drop_list, named
>>> drop_list(named(run, "url"), dropped, unread_rows(run)).values                          # doctest: +SKIP
"""

from scanner.exports.rows._bool_array import shard_mask
from scanner.exports.rows._datacomp import UID, subset
from scanner.exports.rows._drop_list import DropList, as_text, drop_list
from scanner.exports.rows._names import NAMES, Named, keys_are_uids, named, uids_among
from scanner.exports.rows._recaption import recaption_rows
from scanner.exports.rows._shards import Cut, ShardCounts, rewrite_shard
from scanner.exports.rows._text import lines
from scanner.exports.rows._unread import Unread, lost_shards, unread_rows

__all__ = [
    "NAMES",
    "UID",
    "Cut",
    "DropList",
    "Named",
    "ShardCounts",
    "Unread",
    "as_text",
    "drop_list",
    "keys_are_uids",
    "lines",
    "lost_shards",
    "named",
    "recaption_rows",
    "rewrite_shard",
    "shard_mask",
    "subset",
    "uids_among",
    "unread_rows",
]
