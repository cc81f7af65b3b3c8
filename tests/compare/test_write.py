"""The page and compare.json: one model, nothing over a network, hostile texts shown as text, folders left alone."""

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scanner.compare import Comparison, compare, refuse_occupied, write_comparison
from scanner.errors import UnusableInputError
from scanner.report._page import page_script
from scanner.run import Run
from scanner.tables import GROUPS, PROMPTS
from tests.compare.planted import Tried, copies, plant
from tests.report.page import Page
from tests.report.planted import overwrite

CAPTIONS = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202egpj.exe\u202c with \u2066direction\u2069 marks",
    "null\x00byte, \x1b[31mescape and bell\x07",
    '" onmouseover="alert(3)" x="',
    "y" * 100_000,
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "</style></title></script><svg onload=alert(4)>",
    "👩‍👩‍👧 emoji, عربي, עברית, ＜ﾊﾝｶｸ＞",
]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """Two runs in which every text of strangers is hostile: captions, reasons, verdicts, names of data sets."""
    folder = tmp_path_factory.mktemp("hostile")
    before = [row for i, caption in enumerate(CAPTIONS) for row in copies(i, 3, f"g{i}", caption)]
    after = [
        row for i, caption in enumerate(CAPTIONS) for row in copies(i, 1 + i % 3, f"g{i}" if i % 3 else None, caption)
    ]
    ranked = [(caption, "risk", 0.6 - 0.05 * i, 3) for i, caption in enumerate(CAPTIONS)]
    tried = dict.fromkeys(CAPTIONS, Tried(verdict="matching"))
    name = "<script>alert('name')</script>"
    attack = {"target": name, "steps": 12}
    old = plant(folder / "<i>&before", before, ranked, config={"dataset": name}, attack=attack, tried=tried)
    new = plant(
        folder / "after",
        after,
        ranked[2:],
        first=50,
        config={"dataset": "b/", "where": name},
        attack=attack | {"steps": "<b>50</b>"},
        tried=dict.fromkeys(CAPTIONS[2:], Tried(verdict='"><script>')),
    )
    overwrite(old, PROMPTS, reason=pl.lit("<u>why</u>"))
    overwrite(old, GROUPS, top_caption=pl.Series([CAPTIONS[i % 8] for i in range(8)]))
    return old, new


@pytest.fixture(scope="module")
def found(pair: tuple[Run, Run]) -> Comparison:
    return compare(*pair)


@pytest.fixture(scope="module")
def path(pair: tuple[Run, Run], found: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_comparison(found, *pair, tmp_path_factory.mktemp("out") / "comparison")


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(path)


def test_the_json_is_the_model(found: Comparison, path: Path) -> None:
    content: dict[str, Any] = json.loads(path.with_name("compare.json").read_text(encoding="utf-8"))
    assert content == json.loads(json.dumps(asdict(found)))
    assert content["schema_version"] == "1.0"
    assert {row["caption"] for row in content["prompt_changes"]} <= set(CAPTIONS)


def test_every_figure_of_the_page_stands_in_the_json(path: Path, page: Page) -> None:
    content = json.loads(path.with_name("compare.json").read_text(encoding="utf-8"))
    assert len(page.figures) > 40
    for where, value, shown in page.figures:
        at = content
        for part in where.split("."):
            at = at[int(part)] if part.isdigit() else at[part]
        assert value == ("" if at is None else str(at)), where
        assert shown == ("–" if at is None else f"{at:,}"), where


def test_the_only_script_is_the_reports(page: Page) -> None:
    assert page.scripts == [page_script()]
    assert len(page.all("style")) == len(page.all("head")) == 1


def test_no_attribute_runs_or_asks_for_anything(page: Page) -> None:
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert str(attributes.get("href", "#")).startswith("#"), "links into the page only"
        assert str(attributes.get("src", "data:image/webp;")).startswith("data:image/webp;")
    assert not {tag for tag, _ in page.elements} & {"iframe", "object", "embed", "link", "form", "i", "u"}
    assert page.all("img")


def test_the_policy_names_our_script_and_nothing_else(page: Page) -> None:
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    digests = [
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        for content in (page.styles[0], page.scripts[0])
    ]
    style, script = (f"'sha256-{digest}'" for digest in digests)
    nothing_else = ["default-src 'none'", "form-action 'none'", "base-uri 'none'"]
    assert policy == "; ".join([*nothing_else, f"style-src {style}", f"script-src {script}", "img-src data:"])


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    for shown in (CAPTIONS[0], CAPTIONS[3], CAPTIONS[5], CAPTIONS[7], "<u>why</u>", "<script>alert('name')</script>"):
        assert shown in page.text
    assert "⟨U+202E⟩gpj.exe⟨U+202C⟩" in page.text
    assert "null⟨U+0000⟩byte, ⟨U+001B⟩[31mescape and bell⟨U+0007⟩" in page.text
    assert "100,000 characters in all, whole in compare.json" in page.text
    assert "y" * 301 not in page.text


def test_nothing_invisible_reaches_the_file(path: Path) -> None:
    assert not set(path.read_text(encoding="utf-8")) & set("\x00\x07\x1b\u202e\u202c\u2066\u2069")


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    assert len(page.ids()) == len(set(page.ids()))
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(page.ids())


def test_the_same_tables_give_the_same_bytes(pair: tuple[Run, Run], path: Path, tmp_path: Path) -> None:
    again = write_comparison(compare(*pair), *pair, tmp_path / "again")
    assert again.read_bytes() == path.read_bytes()
    assert again.with_name("compare.json").read_bytes() == path.with_name("compare.json").read_bytes()


def test_an_earlier_comparison_is_replaced_and_nothing_else(
    pair: tuple[Run, Run], found: Comparison, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    write_comparison(found, *pair, folder)
    write_comparison(found, *pair, folder)
    assert sorted(one.name for one in folder.iterdir()) == ["compare.json", "index.html"]
    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "thesis.tex").write_text("x")
    with pytest.raises(UnusableInputError, match="holds files that are no comparison"):
        write_comparison(found, *pair, occupied)
    assert [one.name for one in occupied.iterdir()] == ["thesis.tex"]
    with pytest.raises(UnusableInputError, match="is a file"):
        refuse_occupied(occupied / "thesis.tex")


@pytest.mark.parametrize("rows", [[], copies(1, 1, None, None), copies(1, 2, "a", None)])
def test_the_page_of_sparse_runs_is_whole(tmp_path: Path, rows: list[Any]) -> None:
    """No row, no group, no caption, no prompt, on one side or on both."""
    bare, full = plant(tmp_path / "a", rows), plant(tmp_path / "b", copies(1, 2, "a", "x"), [("x", "risk", 0.2, 2)])
    same = plant(tmp_path / "c", rows)
    for at, (old, new) in enumerate(((bare, full), (full, bare), (bare, same))):
        Page(write_comparison(compare(old, new), old, new, tmp_path / f"out-{at}"))
