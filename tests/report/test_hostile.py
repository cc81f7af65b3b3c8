"""Captions, keys, addresses and messages by an attacker: shown as text, whole in the JSON, never run."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scanner.report import write_report
from scanner.report._page import page_script
from scanner.run import Run
from scanner.tables import HITS
from tests.report.hostile import CAPTIONS, URLS, make_hostile
from tests.report.page import Page
from tests.report.planted import make_run, originals, overwrite


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_hostile(tmp_path_factory.mktemp("runs") / "<i>&hostile")


@pytest.fixture(scope="module")
def path(run: Run) -> Path:
    return write_report(run, originals)


@pytest.fixture(scope="module")
def page(path: Path) -> Page:
    return Page(path)


def test_the_only_script_is_ours(page: Page) -> None:
    assert page.scripts == [page_script()]
    assert len(page.all("script")) == 1


def test_no_attribute_runs_anything(page: Page) -> None:
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        address = str(attributes.get("href", "")).lower().lstrip()
        assert not address.startswith(("javascript", "data", "vbscript"))
    assert {tag for tag, _ in page.elements} & {"b", "i", "u"} <= {"b"}, "the template's own b only"
    assert len(page.all("style")) == len(page.all("head")) == 1


def test_only_good_addresses_are_links(page: Page) -> None:
    links = {str(link["href"]) for link in page.all("a") if "://" in str(link["href"])}
    assert {link for link in links if "example" in link} == {URLS[2], URLS[6]}
    assert "javascript:alert(5) (not a web address: no link)" in page.text


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    assert CAPTIONS[0] in page.text
    assert CAPTIONS[3] in page.text
    assert CAPTIONS[5] in page.text
    assert CAPTIONS[9] in page.text
    assert "<b>why</b>" in page.text
    assert "⟨U+202E⟩gpj.exe⟨U+202C⟩" in page.text
    assert "null⟨U+0000⟩byte, ⟨U+001B⟩[31mescape and bell⟨U+0007⟩" in page.text


def test_nothing_invisible_reaches_the_file(path: Path) -> None:
    raw = path.read_text(encoding="utf-8")
    assert not set(raw) & set("\x00\x07\x1b\u202e\u202c\u2066\u2069")


def test_long_captions_are_cut_in_the_page_and_whole_in_the_json(page: Page, path: Path) -> None:
    assert "y" * 301 not in page.text
    assert "100,000 characters in all, whole in report.json" in page.text
    content: dict[str, Any] = json.loads(path.with_name("report.json").read_text(encoding="utf-8"))
    captions = {prompt["caption"] for prompt in content["prompts"]}
    assert captions == set(CAPTIONS)


def test_the_policy_names_our_script_and_nothing_else(page: Page) -> None:
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    digests = [
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        for content in (page.styles[0], page.scripts[0])
    ]
    style, script = (f"'sha256-{digest}'" for digest in digests)
    nothing_else = ["default-src 'none'", "form-action 'none'", "base-uri 'none'"]
    assert policy == "; ".join([*nothing_else, f"style-src {style}", f"script-src {script}", "img-src data:"])


def test_unknown_verdicts_and_arms_do_not_break_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    overwrite(run, HITS, verdict=pl.lit('"><script>'))
    page = Page(write_report(run))
    assert len(page.scripts) == 1
