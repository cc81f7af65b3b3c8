"""Texts of strangers in a real browser, in the page's elements and in its packed tables: shown, and never run.

make browser
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scanner.report import write_report
from scanner.tables import CANDIDATES, PROMPTS
from tests.report.hostile import CAPTIONS, make_hostile
from tests.report.opened import opened, texts
from tests.report.planted import Plan, originals, overwrite

pytestmark = pytest.mark.browser
TAG = "<img src=x onerror=alert(1)>"
OURS = {"script": 4, "style": 1, "iframe": 0, "object": 0, "embed": 0, "form": 0, "base": 0, "link": 0}
"""Elements of the page: its script, the packed captions, prompts and groups; its style."""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is longer than the page lists, with hostile words even where the scanner's own stand; an image of it
    is an SVG with a script."""
    plan = Plan(copies=(2,) * 260, extracted=(0, 1), singles=400, control_hits=1)
    run = make_hostile(tmp_path_factory.mktemp("runs") / "<i>&hostile", plan)
    overwrite(run, PROMPTS, risk_class=pl.lit(TAG), arm=pl.col("arm"))
    overwrite(run, CANDIDATES, decision=pl.lit(TAG))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
    return write_report(run, lambda samples: {**originals(samples), **dict.fromkeys(samples[:5], svg)})


def check(page: Any) -> None:
    """Nothing stands in the page that is not the template's or the script's own."""
    for name, many in OURS.items():
        assert page.locator(name).count() == many, name
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every((e) => e.getAttributeNames().every((n) => !n.startsWith('on')))"
    )
    assert page.evaluate("[...document.images].every((image) => image.src.startsWith('data:image/webp;'))")
    schemes = page.evaluate("[...new Set([...document.links].map((link) => link.protocol))]")
    assert set(schemes) <= {"file:", "http:", "https:"}
    assert not set(page.inner_text("body")) & set("\x00\x07\x1b\u202e\u202c\u2066\u2069")


def test_nothing_of_it_runs(chromium: Any, path: Path) -> None:
    with opened(chromium, path) as page:
        check(page)
        page.get_by_role("button", name="Show all 3 hits").is_visible()
        page.locator("#prompts").get_by_label("Page").fill("12")
        page.locator("#prompts").get_by_label("Page").press("Enter")
        page.get_by_text("551–600 of 660 prompts").wait_for()
        check(page)
        shown = texts(page, "#prompt-rows .caption")
        assert CAPTIONS[0] in shown
        assert CAPTIONS[6] in shown
        assert "⟨U+202E⟩gpj.exe⟨U+202C⟩ with ⟨U+2066⟩direction⟨U+2069⟩ marks" in shown
        assert "y" * 120 + "…" in shown
        assert TAG in page.locator("#prompt-rows tr").first.inner_text()
        page.locator("#prompts").get_by_label("Filter prompts").fill("<svg onload=alert(4)>")
        page.wait_for_function("() => document.querySelector('#prompts .tools output').textContent === '66 of 660'")
        page.get_by_text("All groups as a table").click()
        page.locator("#group-rows tr").first.wait_for()
        page.locator(".strip img").nth(1).click()
        check_dialog = page.get_by_role("dialog").inner_text()
        assert CAPTIONS[0] in check_dialog
        page.keyboard.press("Escape")
        check(page)
        page.pdf()


@pytest.mark.parametrize(
    "hash",
    [
        "#<img src=x onerror=alert(1)>",
        "#hit-<script>alert(1)</script>",
        "#group-__proto__",
        "#prompt-risk-",
        "#packed-prompts",
    ],
)
def test_no_fragment_of_an_address_runs(chromium: Any, path: Path, hash: str) -> None:
    with opened(chromium, path, hash) as page:
        page.wait_for_timeout(300)
        check(page)
