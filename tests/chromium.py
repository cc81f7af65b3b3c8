"""Chromium for the tests of pages (`make browser`): the installed one, driven by Playwright, with a fresh profile.

There is no skipping: where it is not installed, the tests fail and say what to install.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def executable() -> str:
    """$CHROMIUM, or the first that is on the path."""
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("Chromium is not installed (Debian: apt-get install chromium); or name it in CHROMIUM.")
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """A browser; pages are opened by its `new_page` and `new_context`."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only these tests need it

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=executable(), args=list(QUIET))
        try:
            yield opened
        finally:
            opened.close()
