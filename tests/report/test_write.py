"""The page and the JSON file: one set of figures, self-contained, right in every state of a run."""

import io
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scanner.report import SCHEMA_VERSION, write_report
from scanner.report._page import SCRIPTS
from scanner.report._show import at_path
from scanner.tables import GENERATIONS, PROMPTS, SAMPLES, TABLES
from tests.report.page import Page
from tests.report.planted import STATES, Plan, make_run, originals, overwrite, png


@pytest.fixture(scope="module", params=STATES)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, dict[str, Any]]:
    """The page and the JSON of a run in each state."""
    run = make_run(tmp_path_factory.mktemp("runs") / request.param, STATES[request.param])
    path = write_report(run, originals)
    assert path == run.path / "report" / "index.html"
    return Page(path), strict_json(path.with_name("report.json"))


def strict_json(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return dict(json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse))


def test_every_figure_of_the_page_stands_in_the_json(report: tuple[Page, dict[str, Any]]) -> None:
    page, content = report
    assert len(page.figures) >= 10
    for path, value, shown in page.figures:
        stored = at_path(content, path)
        assert value == ("" if stored is None else str(stored)), path
        assert shown, path
        if isinstance(stored, int):
            assert shown == f"{stored:,}", path


def test_headline_advice_and_limits_are_the_same_in_both(report: tuple[Page, dict[str, Any]]) -> None:
    page, content = report
    text = page.text.replace("\u00a0", " ")
    assert content["schema_version"] == SCHEMA_VERSION
    sentences = [content["headline"], content["summary"], *content["limits"]]
    sentences += [step[part] for step in content["advice"] for part in ("title", "text")]
    assert all(sentence in text for sentence in sentences)


def test_the_page_needs_nothing_else(report: tuple[Page, dict[str, Any]]) -> None:
    page, _ = report
    assert not page.all("link")
    assert not [tag for tag, _ in page.elements if tag in {"iframe", "object", "embed", "base", "form"}]
    for _, attributes in page.elements:
        assert not {"srcset", "background", "poster", "style"} & attributes.keys()
        assert str(attributes.get("src", "data:")).startswith("data:image/webp;base64,") or "src" not in attributes
    assert not re.search(r"url\(|@import", "".join(page.styles))
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?:", "".join(page.scripts))


def test_links_inside_the_page_arrive(report: tuple[Page, dict[str, Any]]) -> None:
    page, _ = report
    ids = page.ids()
    assert len(ids) == len(set(ids))
    inside = [str(link["href"])[1:] for link in page.all("a") if str(link["href"]).startswith("#")]
    assert set(inside) <= set(ids)
    beside = {str(link["href"]) for link in page.all("a") if str(link["href"]).startswith("../")}
    assert beside <= {f"../{table.path}" for table in TABLES.values()}, "tables of the run directory"
    outside = [link for link in page.all("a") if not str(link["href"]).startswith(("#", "../"))]
    assert all(str(link["href"]).startswith(("http://", "https://")) for link in outside)
    assert all(link["rel"] == "noopener noreferrer" for link in outside)


def test_pictures_and_drawings_have_words(report: tuple[Page, dict[str, Any]]) -> None:
    page, _ = report
    assert all(image["alt"] for image in page.all("img"))
    drawings = page.all("svg")
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") == "true" for drawing in drawings)
    assert page.all("html")[0]["lang"] == "en"
    assert all(box.get("tabindex") == "0" for box in page.all("div") if "scroll" in str(box.get("class")))


def test_parts_without_content_are_left_out(report: tuple[Page, dict[str, Any]]) -> None:
    page, content = report
    ids = page.ids()
    assert ("hits" in ids) == ("rates" in ids) == content["attacked"]
    assert {"summary", "groups", "prompts", "ledger", "method", "limits"} <= set(ids)
    assert ("No model has been attacked" in page.text) == (content["target"] is None)
    assert "nan" not in re.findall(r"\w+", page.text.lower())
    assert "None" not in [shown for _, _, shown in page.figures]


def test_written_again_it_is_the_same(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    first = write_report(run, originals).read_bytes()
    again = write_report(run, originals)
    assert again.read_bytes() == first
    assert sorted(file.name for file in again.parent.iterdir()) == [
        *(
            "croissant-rai.json",
            "dataset-card.md",
            "hits.csv",
            "index.html",
            "report.json",
            "results.sarif",
            "summary.md",
        ),
    ]


def test_each_hit_shows_its_original_beside_its_generations(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    asked: list[int] = []

    def pictures(sample_ids: Sequence[int]) -> dict[int, bytes]:
        asked.extend(sample_ids)
        return originals(sample_ids)

    page = Page(write_report(run, pictures))
    alts = [str(image["alt"]) for image in page.all("img")]
    assert alts.count("Training image that came back") == 4
    assert sum(alt.startswith("Generation, seed ") for alt in alts) == 4 * 4
    assert sorted(asked) == sorted({group["group_id"] for group in strict_groups(run.path)}), "each asked for once"
    large = [image for image in page.all("img") if image["alt"] == "Training image that came back"]
    assert {image["width"] for image in large} == {"64"}
    assert "thumbnail" not in page.text.split("Duplicate groups")[0]


def strict_groups(run: Path) -> list[dict[str, Any]]:
    return list(strict_json(run / "report" / "report.json")["groups"])


def test_without_pictures_the_thumbnails_are_shown_and_said(tmp_path: Path) -> None:
    page = Page(write_report(make_run(tmp_path / "run"), None))
    large = [image for image in page.all("img") if image["alt"] == "Training image that came back"]
    assert {(image["width"], image["class"]) for image in large} == {("32", "small")}
    assert page.text.count("its 32 × 32 thumbnail") == 4
    assert "the originals were not at hand" in page.text


def test_an_original_that_cannot_be_read_falls_back_to_its_thumbnail(tmp_path: Path) -> None:
    def pictures(sample_ids: Sequence[int]) -> dict[int, bytes]:
        return originals(sample_ids) | {
            0: b"<svg onload=alert(1)>",
            130: b"",
            99_999: png(np.zeros((4, 4, 3), np.uint8)),
        }

    page = Page(write_report(make_run(tmp_path / "run"), pictures))
    assert page.text.count("its 32 × 32 thumbnail") == 4, "both under a hit and in the gallery"


def test_large_originals_are_made_small(tmp_path: Path) -> None:
    def pictures(sample_ids: Sequence[int]) -> dict[int, bytes]:
        file = io.BytesIO()
        Image.new("RGB", (1600, 800), "teal").save(file, "JPEG")
        return dict.fromkeys(sample_ids, file.getvalue())

    page = Page(write_report(make_run(tmp_path / "run"), pictures))
    large = [image for image in page.all("img") if image["alt"] == "Training image that came back"]
    assert {(image["width"], image["height"]) for image in large} == {("192", "96")}


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for part in (run.path / GENERATIONS.path).glob("*.parquet"):
        part.unlink()
    samples = run.read(SAMPLES)
    SAMPLES.write(run.path, samples.filter(samples["sample_id"] != 0), part="00000")
    page = Page(write_report(run))
    assert page.text.count("The generations of this prompt are not stored in the run.") == 4
    assert page.text.count("not available") >= 1


def test_cut_lists_say_where_the_rest_is(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(2,) * 210, extracted=(), singles=600, errors=510, attacked=False))
    page = Page(write_report(run))
    for sentence in (
        "The page lists 200 of 210 groups",
        "The page lists 500 of 810 prompts",
        "The page lists 500 of 510 entries",
    ):
        assert sentence in page.text
    inside = {str(link["href"])[1:] for link in page.all("a") if str(link["href"]).startswith("#")}
    assert inside <= set(page.ids()), "no link to a group that is not listed"


def test_prompts_without_group_or_caption(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    overwrite(run, PROMPTS, group_id=None, caption="", risk=None, reason=None, url=None)
    assert "no caption" in Page(write_report(run)).text


@pytest.mark.parametrize("name", ["index.html.j2", "style.css", *SCRIPTS])
def test_package_data_is_there(name: str) -> None:
    assert resources.files("scanner.report").joinpath(name).is_file()
