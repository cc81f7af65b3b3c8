"""The libraries below warn of their own deprecations and of what is said here in better words; none of it is shown."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging


def quiet_libraries() -> None:
    """No progress bars and no warnings in the libraries' own logs."""
    for logging in (transformers_logging, diffusers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()


@contextmanager
def quiet() -> Iterator[None]:
    """No Python warnings from what runs inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
