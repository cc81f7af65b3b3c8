"""A report's page in Chromium, watched: at its end nothing may have complained, been asked for, or asked anything.

>>> with browser() as chromium, opened(chromium, path) as page:                  # doctest: +SKIP
...     page.locator(".hit").count()
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextmanager
def opened(chromium: Any, path: Path, fragment: str = "", **context: Any) -> Iterator[Any]:
    """The page at `path`, loaded; with `context` as Playwright's new_context takes it (viewport, color_scheme, ...)."""
    made = chromium.new_context(**{"viewport": DESKTOP, **context})
    page = made.new_page()
    complaints, asked = list[str](), list[str]()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    made.on("page", lambda other: complaints.append(f"opened {other.url}"))
    page.goto(path.as_uri() + fragment)
    yield page
    page.wait_for_timeout(50)
    assert complaints == []
    assert [url for url in asked if not url.startswith(("data:", path.as_uri()))] == []
    made.close()


def texts(page: Any, selector: str) -> list[str]:
    """What is seen of each element that matches and is visible."""
    return [element.inner_text() for element in page.locator(selector).all() if element.is_visible()]


def visible(page: Any, selector: str) -> int:
    """How many elements that match are visible."""
    return len(page.locator(f":is({selector}):visible").all())
