"""The page in a real browser: filter, order, sort, pages, links to what is hidden, print, dark mode, phone width.

make browser
"""

from pathlib import Path
from typing import Any

import pytest

from scanner.report import write_report
from tests.report.opened import DESKTOP, PHONE, opened, texts, visible
from tests.report.planted import STATES, Plan, make_run, originals

pytestmark = pytest.mark.browser
PLAN = Plan(copies=tuple(range(59, 29, -1)), extracted=tuple(range(19)), singles=90, control_hits=1, errors=70)
"""20 hits, 30 groups, 120 prompts on three pages, 70 ledger entries on two."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("runs") / "browser", PLAN), originals)


def test_long_lists_begin_short(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        assert visible(page, ".hit") == 12
        assert visible(page, "#prompt-rows tr") == 50
        page.get_by_role("button", name="Show all 20 hits").click()
        assert visible(page, ".hit") == 20
        assert not page.get_by_role("button", name="Show all 20 hits").is_visible()


def test_cards_are_filtered_and_ordered(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        box = page.get_by_label("Filter hits")
        box.fill("picture 18, STUDIO")
        assert visible(page, ".hit") == 1
        assert "1 of 20" in texts(page, "#hits .tools output")
        box.fill("")
        assert visible(page, ".hit") == 12
        page.locator("#hits").get_by_label("Order").select_option("most copies first")
        assert "picture 0," in texts(page, ".hit h3")[0]
        page.locator("#groups").get_by_label("Order").select_option("most captions first")
        assert "2 captions" in texts(page, ".group")[0]
        assert "1 caption " in page.locator(".group").last.inner_text()


def test_a_table_is_turned_sorted_and_filtered(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        prompts = page.locator("#prompts")
        assert "1–50 of 120 prompts" in texts(page, "#prompts .pager output")
        prompts.get_by_role("button", name="Next").click()
        assert "51–100 of 120 prompts" in texts(page, "#prompts .pager output")
        prompts.get_by_label("Page").fill("3")
        prompts.get_by_label("Page").press("Enter")
        assert "101–120 of 120 prompts" in texts(page, "#prompts .pager output")
        assert prompts.get_by_role("button", name="Next").is_disabled()
        head = prompts.get_by_role("button", name="Copies", exact=True)
        head.click()
        assert set(texts(page, "#prompt-rows td:nth-child(4)")) == {"1"}
        head.click()
        copies = [int(cell) for cell in texts(page, "#prompt-rows td:nth-child(4)")]
        assert copies == [*range(59, 29, -1), *[1] * 20]
        assert page.locator("#prompts th[aria-sort='descending']").inner_text() == "Copies"
        prompts.get_by_label("Filter prompts").fill("STUDIO picture 29,")
        assert [text.split(",")[0] for text in texts(page, "#prompt-rows .caption")] == ["a framed print of picture 29"]
        assert "1 of 120" in texts(page, "#prompts .tools output")


def test_a_link_reaches_what_is_hidden(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        last = page.locator(".hit").last.get_attribute("id")
    with opened(chromium, path, f"#{last}") as page:
        assert page.locator(f"#{last}").is_visible()
        page.wait_for_function("id => document.activeElement.id === id", arg=last)
        assert page.locator(f"#{last}").evaluate("card => card.getBoundingClientRect().top") < DESKTOP["height"]


def test_a_link_reaches_a_row_on_another_page(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        page.locator("#prompts").get_by_label("Page").fill("3")
        page.locator("#prompts").get_by_label("Page").press("Enter")
        row = page.locator("#prompt-rows tr").last.get_attribute("id")
        page.locator("#prompts").get_by_label("Filter prompts").fill("studio")
        page.evaluate("id => { location.hash = id; }", row)
        page.wait_for_function("id => document.activeElement.id === id", arg=row)
        assert "101–120 of 120 prompts" in texts(page, "#prompts .pager output")
    with opened(chromium, path, "#%E0%A4%A") as page:  # no encoding of anything
        assert page.locator("#summary").is_visible()


def test_it_prints_whole(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        page.get_by_label("Filter hits").fill("nothing of the kind")
        assert visible(page, ".hit") == 0
        printed = page.pdf()
        assert printed.startswith(b"%PDF")
        assert printed.count(b"/Type /Page\n") > 10
        assert printed.count(b"/Subtype /Image") >= 20, "the originals of the hits at least"
        assert visible(page, ".hit") == 0, "as it was before"
        standing = page.locator("details[open]").count()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert visible(page, ".hit") == 20
        assert visible(page, "#prompt-rows tr") == 120
        assert visible(page, "#error-rows tr") == 70
        assert visible(page, ".tools, .pager, nav, .more") == 0
        blocks = page.locator("details")
        assert blocks.evaluate_all("all => all.filter((one) => one.open && one.closest('table')).length") == 0
        assert blocks.evaluate_all("all => all.filter((one) => !one.open && !one.closest('table')).length") == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert blocks.evaluate_all("all => all.filter((one) => one.open).length") == standing


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_dark_mode_and_width(chromium: Any, path: Path, viewport: dict[str, int]) -> None:
    grounds = set()
    for scheme in ("light", "dark"):
        with opened(chromium, path, viewport=viewport, color_scheme=scheme) as page:
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert len(grounds) == 2


def test_without_a_script_all_that_is_listed_is_there(chromium: Any, path: Path) -> None:
    with opened(chromium, path, java_script_enabled=False) as page:
        assert visible(page, ".hit") == 20
        assert visible(page, "#prompt-rows tr") == 120
        assert visible(page, ".tools, .pager") == 0


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_run_opens(chromium: Any, tmp_path: Path, state: str) -> None:
    made = write_report(make_run(tmp_path / "run", STATES[state]), originals)
    with opened(chromium, made) as page:
        assert page.locator("h1").is_visible()
        assert page.pdf().startswith(b"%PDF")
