"""axe-core finds no violation of WCAG 2 A and AA, nor of its best practices: contrast, labels, names, headings.

In light and dark, in every kind of run, with what a reader opens opened.
"""

from pathlib import Path
from typing import Any

import pytest

from scanner.report import write_report
from tests.report.hostile import make_hostile
from tests.report.large import make_large
from tests.report.opened import PHONE, opened
from tests.report.planted import NOTHING, STATES, Plan, make_run, originals

pytestmark = pytest.mark.browser
DEMO_LIKE = Plan(copies=(256, 128, *(64,) * 10, *(8,) * 60), extracted=tuple(range(30)), singles=90, control_hits=1)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "demo-like": write_report(make_run(folder / "demo-like", DEMO_LIKE), originals),
        "blurred": write_report(make_run(folder / "blurred", DEMO_LIKE), originals, blur=True),
        "hostile": write_report(make_hostile(folder / "hostile"), originals),
        "empty": write_report(make_run(folder / "empty", Plan(**NOTHING, singles=0, errors=0))),
        "large": write_report(make_large(folder / "large", groups=2_000)),
    }


def complaints(page: Any) -> list[str]:
    """axe's violations with the elements that they are about."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only these tests need it

    found = Axe().run(page).response["violations"]
    return [f"{one['impact']} {one['id']}: {[node['html'][:160] for node in one['nodes'][:4]]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["demo-like", "blurred", "hostile", "empty", "large"])
def test_axe_finds_nothing(chromium: Any, pages: dict[str, Path], kind: str, scheme: str) -> None:
    with opened(chromium, pages[kind], color_scheme=scheme) as page:
        assert complaints(page) == []
        page.evaluate("document.querySelectorAll('details').forEach((block) => { block.open = true; })")
        for box in page.locator("input[type=search]:visible").all():
            box.fill("a")
        page.wait_for_timeout(300)
        assert complaints(page) == []
        if kind == "demo-like":
            page.locator(".strip img").nth(1).click()
            assert complaints(page) == []


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state_of_a_run(chromium: Any, tmp_path: Path, state: str) -> None:
    with opened(chromium, write_report(make_run(tmp_path / "run", STATES[state]))) as page:
        assert complaints(page) == []


def test_axe_finds_nothing_on_a_phone(chromium: Any, pages: dict[str, Path]) -> None:
    with opened(chromium, pages["demo-like"], viewport=PHONE) as page:
        assert complaints(page) == []


def test_axe_would_find_something(chromium: Any, pages: dict[str, Path]) -> None:
    """The test can fail: a label and a contrast are spoilt."""
    with opened(chromium, pages["demo-like"]) as page:
        page.evaluate(
            "document.querySelector('input[type=search]').closest('label').replaceWith(document.createElement('input'))"
        )
        page.evaluate("document.querySelector('h1').style.color = '#eee'")
        assert {line.split()[1] for line in complaints(page)} >= {"label:", "color-contrast:"}
