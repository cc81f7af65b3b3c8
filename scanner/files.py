"""Files that are written whole or not at all: to a temporary name in the same folder, then renamed.

>>> with replacing(Path("prompts.csv")) as temporary:                       # doctest: +SKIP
...     temporary.write_bytes(b"prompt")
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `path` once the block has ended; nothing is left when it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
