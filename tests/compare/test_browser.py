"""The page of a comparison in a real browser: its lists and pictures work with the report's script, and axe is content.

make browser
"""

from pathlib import Path
from typing import Any

import pytest

from scanner.compare import compare, write_comparison
from tests.report.opened import PHONE, opened, visible
from tests.report.planted import Plan, make_run
from tests.report.test_accessible import complaints

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    before = make_run(folder / "before", Plan(copies=(64,) * 30, extracted=tuple(range(12)), singles=60))
    after = make_run(folder / "after", Plan(copies=(2,) * 20, extracted=(0, 1), singles=60))
    write_comparison(compare(before, after), before, after, folder / "blurred", blur=True)
    return write_comparison(compare(before, after), before, after, folder / "compared")


def test_lists_and_pictures_work(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        assert visible(page, "#group-list article") == 24
        page.get_by_label("Filter groups").fill("picture 13,")
        assert visible(page, "#group-list article") == 1
        page.locator("#group-list img:visible").first.click()
        assert page.get_by_role("dialog").is_visible()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Copies", exact=True).first.click()
        assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Any, path: Path, scheme: str) -> None:
    with opened(chromium, path, color_scheme=scheme) as page:
        assert complaints(page) == []


def test_no_wider_than_a_phone(chromium: Any, path: Path) -> None:
    with opened(chromium, path, viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_is_blurred_when_asked(chromium: Any, path: Path) -> None:
    with opened(chromium, path.parents[1] / "blurred" / "index.html") as page:
        image = page.locator("#group-list img").first
        assert image.evaluate("image => getComputedStyle(image).filter").startswith("blur(")
        assert complaints(page) == []
        page.get_by_role("button", name="Show pictures").click()
        assert image.evaluate("image => getComputedStyle(image).filter") == "none"
