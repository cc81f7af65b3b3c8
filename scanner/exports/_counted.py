"""Counts in the sentences of an export.

>>> counted(1, "shard"), counted(2000, "shard")
('1 shard', '2,000 shards')
"""


def counted(count: int, one: str, many: str | None = None) -> str:
    """The count and its noun, for one or for many; by default many have an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
