"""Pictures in a real browser: opened larger by mouse and keyboard, compared, and blurred until they are shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from scanner.report import write_report
from scanner.run import Run
from scanner.tables import GENERATIONS, SIGNALS
from scanner.targets import Transform
from tests.report.opened import PHONE, opened, visible
from tests.report.planted import Plan, make_run, originals, picture, png

pytestmark = pytest.mark.browser
FITS = ("crop", "pad", "squeeze")
FILTER = "image => getComputedStyle(image).filter"
HIT, SENSITIVE = "#hit-list article:nth-child(2)", "#hit-list article:nth-child(1)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which the data say that a copy of the first group's picture, not its medoid, shows two faces."""
    run = make_run(tmp_path_factory.mktemp("runs") / "run", Plan(control_hits=1))
    faces = {"sample_id": 100, "kind": "faces", "source": "column num_faces", "value": "2", "whole": None}
    SIGNALS.write(run.path, SIGNALS.frame([faces | {"detail": None}]), part="00000")
    return run


@pytest.fixture(scope="module")
def plain(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(run, originals).rename(tmp_path_factory.mktemp("plain") / "index.html")


@pytest.fixture(scope="module")
def blurred(run: Run, plain: Path) -> Path:
    assert plain.exists(), "written before this one takes its place"
    return write_report(run, originals, blur=True)


def test_a_picture_is_opened_by_keyboard_and_compared(chromium: Any, plain: Path) -> None:
    with opened(chromium, plain) as page:
        stop = page.locator(f"{HIT} img").first
        assert page.locator(f"{HIT} .strip img[tabindex]").count() == 1, "one stop of the tab key a strip"
        stop.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        assert dialog.locator("img").count() == 2
        assert "picture 1, studio light" in dialog.inner_text()
        assert dialog.locator("figcaption").nth(1).inner_text().startswith("0.040, seed ")
        assert 30 < max(drawn(page)) <= 255, "the noise of the generation, three times"
        page.keyboard.press("ArrowRight")
        assert dialog.locator("figcaption").nth(1).inner_text().startswith("0.050, seed ")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        assert "picture 2, studio light" in dialog.inner_text(), "on to the next hit"
        page.keyboard.press("ArrowLeft")
        assert "picture 1, studio light" in dialog.inner_text()
        page.keyboard.press("Escape")
        assert not dialog.is_visible()
        assert stop.evaluate("image => image === document.activeElement")


def drawn(page: Any) -> list[int]:
    """Red, green and blue of the difference's pixels."""
    data = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    values = page.locator("dialog canvas").evaluate(data)
    return [value for i, value in enumerate(values) if i % 4 < 3]


def test_equal_pictures_have_no_difference(chromium: Any, plain: Path) -> None:
    with opened(chromium, plain) as page:
        page.evaluate(f"document.querySelectorAll('{HIT} img').forEach((one, _, all) => {{ one.src = all[0].src; }})")
        page.locator(f"{HIT} img").nth(1).click()
        assert set(drawn(page)) == {0}


@pytest.mark.parametrize("fit", FITS)
def test_an_original_of_another_shape_lies_where_the_target_saw_it(chromium: Any, tmp_path: Path, fit: str) -> None:
    """The generation is the original as the target's transform gives it: that difference is near 0, another is not."""
    run = make_run(tmp_path / "run", Plan(copies=(4, 2), extracted=(0,), singles=3))
    original = np.concatenate([picture(7, 96), picture(8, 96)], axis=1)
    made = run.read(GENERATIONS).with_columns(png=pl.lit(png(Transform(fit=fit, size=96)(original))))
    GENERATIONS.write(run.path, made, part=made["prompt_id"][0])
    attack = run.path / "attack.json"
    header = json.loads(attack.read_text())
    header["config"]["transform"] = {"fit": fit, "size": 96}
    attack.write_text(json.dumps(header))
    path = write_report(Run.open(run.path), lambda samples: dict.fromkeys(samples, png(original)))
    apart = {}
    with opened(chromium, path) as page:
        for tried in FITS:
            page.locator("#hit-list").evaluate("(list, fit) => { list.dataset.fit = fit; }", tried)
            page.locator(".strip img").nth(1).click()
            apart[tried] = float(np.mean(drawn(page)))
            page.keyboard.press("Escape")
        page.reload()
        page.locator(".strip img").nth(1).click()
        apart["as written"] = float(np.mean(drawn(page)))
    assert min(FITS, key=lambda tried: apart[tried]) == fit
    assert apart["as written"] == apart[fit] < 0.3 * min(apart[other] for other in FITS if other != fit)


@pytest.mark.parametrize("selector", ["#hit-list .strip img >> nth=3", "#group-list .members img", "#prompt-rows img"])
def test_any_picture_opens_at_a_click(chromium: Any, plain: Path, selector: str) -> None:
    with opened(chromium, plain, viewport=PHONE) as page:
        picture = page.locator(selector).first
        picture.click()
        shown = page.locator("dialog img").last
        assert shown.get_attribute("src") == picture.get_attribute("src")
        assert shown.bounding_box()["width"] > picture.bounding_box()["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="Close").click()
        assert not page.locator("dialog").is_visible()


def blur_of(page: Any, selector: str) -> set[str]:
    return {image.evaluate(FILTER) for image in page.locator(selector).all()}


def test_a_blurred_page_shows_pictures_when_asked(chromium: Any, blurred: Path) -> None:
    with opened(chromium, blurred) as page:
        assert all(value.startswith("blur(") for value in blur_of(page, "main img"))
        button = page.locator(f"{HIT} .reveal")
        assert button.get_attribute("aria-pressed") == "false"
        assert page.locator(f"{HIT} img[tabindex]").count() == 0, "nothing to open yet"
        button.focus()
        page.keyboard.press("Enter")
        assert button.get_attribute("aria-pressed") == "true"
        assert blur_of(page, f"{HIT} img") == {"none"}, "original and generations show one thing"
        assert blur_of(page, f"{SENSITIVE} img") != {"none"}
        page.emulate_media(media="print")
        assert visible(page, "main img") == 0, "in print they are left out, also those that were shown"
        page.emulate_media(media="screen")
        page.locator(f"{HIT} img").first.click()
        assert page.get_by_role("dialog").is_visible()
        page.keyboard.press("Escape")
        button.click()
        assert "none" not in blur_of(page, f"{HIT} img")
        page.locator(f"{HIT} img").first.click()
        assert blur_of(page, f"{HIT} img") == {"none"}, "a click shows before it opens"
        assert not page.get_by_role("dialog").is_visible()


def test_all_are_shown_but_those_that_the_data_call_sensitive(chromium: Any, blurred: Path) -> None:
    with opened(chromium, blurred) as page:
        everything = page.get_by_role("button", name="Show pictures")
        everything.click()
        assert everything.get_attribute("aria-pressed") == "true"
        assert blur_of(page, f"{HIT} img") == blur_of(page, "#group-list article:nth-child(2) img") == {"none"}
        for kept in (f"{SENSITIVE} img", "#group-list article:nth-child(1) img", "#prompt-rows tr:nth-child(1) img"):
            assert "none" not in blur_of(page, kept), kept
        assert "faces, a named person" in page.locator("#blur").inner_text()
        page.locator(f"{SENSITIVE} .reveal").click()
        assert blur_of(page, f"{SENSITIVE} img") == {"none"}
        everything.click()
        assert "none" not in blur_of(page, "main img")


def test_without_a_script_a_blurred_page_stays_so(chromium: Any, blurred: Path) -> None:
    with opened(chromium, blurred, java_script_enabled=False) as page:
        assert "none" not in {page.locator("main img").nth(i).evaluate(FILTER) for i in range(5)}
        assert visible(page, ".reveal, #show-pictures") == 0


def test_a_page_that_is_not_blurred_has_no_trace_of_it(chromium: Any, plain: Path) -> None:
    with opened(chromium, plain) as page:
        assert blur_of(page, "main img") == {"none"}
        assert page.locator(".reveal, #show-pictures, #blur, [data-sensitive]").count() == 0
