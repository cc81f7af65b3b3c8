"""Pillow's warnings, kept off while a picture is decoded, also when several threads decode at once.

Pillow says by warnings what is wrong with a file's metadata; a data set of a million web images has thousands of
them, and none changes the pixels. Warning filters belong to the whole process, so that a `catch_warnings` in each of
several threads would restore each other's state: the first thread in puts the filter up, the last one out takes it
down.

    >>> with pillow_warnings_off(): ...    # doctest: +SKIP
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

_lock = Lock()
_inside: list[None] = []
_filter = ExitStack()


@contextmanager
def pillow_warnings_off() -> Iterator[None]:
    """Ignore what PIL's own modules warn of, until the last thread inside leaves."""
    with _lock:
        if not _inside:
            _filter.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _inside.append(None)
    try:
        yield
    finally:
        with _lock:
            _inside.pop()
            if not _inside:
                _filter.close()
