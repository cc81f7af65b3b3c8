"""Markdown beside the page, read by a CommonMark parser: strangers' text is code and nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scanner.report import gather
from scanner.report._croissant import croissant
from scanner.report._dataset_card import dataset_card, size_category
from scanner.report._findings import Findings
from scanner.report._markdown import code, table
from scanner.report._show import visible as visible_text
from scanner.report._summary import summary
from scanner.review import Review, Reviewed
from scanner.run import Run, write_json
from tests.report.hostile import CAPTIONS, make_hostile
from tests.report.planted import STATES, Plan, classed, make_run

Render = Callable[[Findings], str]
PARSER = MarkdownIt("commonmark").enable("table")


def tokens(text: str) -> list[Token]:
    """All tokens, those inside of others after them."""
    return [part for token in PARSER.parse(text) for part in (token, *(token.children or ()))]


def codes(text: str) -> list[str]:
    return [token.content for token in tokens(text) if token.type == "code_inline"]


@given(st.text(st.sampled_from("`\\ |<>&[]()*_#@!:/\n\ta\u202e\x00é")) | st.text())
def test_any_text_is_one_span_of_code(text: str) -> None:
    parsed = PARSER.parse(f"- {code(text)}, 4 of 4")
    (inline,) = [token for token in parsed if token.type == "inline"]
    assert [token.type for token in parsed][:3] == ["bullet_list_open", "list_item_open", "paragraph_open"]
    parts = [part.type for part in inline.children or ()]
    if visible_text(text[:160]).strip():
        assert parts == ["code_inline", "text"]
        shown = visible_text(text[:160]) + ("…" if len(text) > 160 else "")
        assert (inline.children or [])[0].content == shown
    else:
        assert inline.content == "(empty), 4 of 4"


def test_cells_hold_our_own_words() -> None:
    assert [token.type for token in tokens(table(("a", "b"), [("1", "2")]))].count("td_open") == 2
    with pytest.raises(ValueError, match="no bar"):
        table(("a",), [("x | y",)])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    run = make_hostile(tmp_path_factory.mktemp("runs") / "run")
    write_json(run.path / "run.json", {"config": run.config | {"dataset": CAPTIONS[9] + "\n---\n"}, "versions": {}})
    attack = {"target": 'x`](javascript:alert(1)) <script>"|', "steps": 20}
    write_json(run.path / "attack.json", {"config": attack, "versions": {}})
    return gather(Run.open(run.path))


@pytest.mark.parametrize("render", [summary, dataset_card])
def test_hostile_text_is_code(hostile: Findings, render: Render) -> None:
    text = render(hostile)
    body = text.split("\n---\n", 1)[1] if render is dataset_card else text
    kinds = {token.type for token in tokens(body)}
    assert not kinds & {"html_inline", "html_block", "link_open", "image", "fence", "code_block"}
    assert not set(text) & set("\x00\x07\x1b\u202e\u202c\u2066\u2069")
    assert len(text) < 12_000
    outside = " ".join(token.content for token in tokens(body) if token.type == "text")
    assert not [mark for mark in ("<script>", "@someone", "javascript:", "HYPERLINK") if mark in outside]
    assert 'x`](javascript:alert(1)) <script>"|' in codes(body)


def test_the_summary_names_hits_and_says_how_many_more(hostile: Findings) -> None:
    assert set(codes(summary(hostile))) >= {hit.caption for hit in hostile.hits[:1]}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("render", [summary, dataset_card])
def test_no_rate_stands_without_its_counts_and_interval(tmp_path: Path, render: Render, state: str) -> None:
    found = gather(make_run(tmp_path / "run", STATES[state]))
    text = render(found)
    assert "certifies nothing" in text
    assert "None" not in text.replace("None of", "")
    assert "nan" not in text.lower().split()
    for line in text.splitlines():
        if line.startswith("| ") and " of " in line and "%" in line:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert " to " in cells[3], line
            assert " of " in cells[1], line
    assert ("verified, high-risk prompts tried" in text) is found.attacked


def test_what_people_saw_stands_beside_the_rule(tmp_path: Path) -> None:
    counted = {"rejected": 1, "disputed": 0, "unsure": 0, "unreviewed": 1}
    hits = Reviewed(kind="hit", arm="risk", items=4, accepted=2, **counted)
    found = gather(make_run(tmp_path / "run"))
    reviewed = replace(found, review=Review(reviewers=("a",), counts=(hits,), agreement=(), elsewhere=0))
    for text in (summary(reviewed), dataset_card(reviewed), croissant(reviewed, {})):
        assert (
            "High-risk prompts: 4 by rule, 2 by eye so far, 1 rejected; 1 is not reviewed. Rates are those by rule."
            in text
        )
    for text in (summary(found), dataset_card(found), croissant(found, {})):
        assert "by eye" not in text


def test_the_summary_fits_on_a_screen(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run", Plan(copies=(2,) * 20, extracted=tuple(range(15)))))
    text = summary(found)
    assert len(text.splitlines()) < 30
    assert "- and 10 more in `hits.csv`" in text


@pytest.mark.parametrize("state", STATES)
def test_the_hub_reads_the_card(tmp_path: Path, state: str) -> None:
    found = gather(classed(make_run(tmp_path / "run", STATES[state])))
    card = DatasetCard(dataset_card(found))
    assert card.data.pretty_name == "planted/"
    assert card.data.task_categories == ["text-to-image"]
    assert card.data.size_categories == [size_category(found.rows.rows_in)]
    assert card.data.license is None
    assert card.text.lstrip().startswith("# Duplicates and memorisation risk of `planted/`")


def test_hostile_names_stay_inside_the_front_matter(hostile: Findings) -> None:
    (_, _, front) = dataset_card(hostile).split("\n---\n", 1)[0].partition("---\n")
    data = yaml.safe_load(front)
    assert set(data) == {"pretty_name", "task_categories", "size_categories", "tags"}
    assert data["pretty_name"] == visible_text((CAPTIONS[9] + "\n---\n")[:200])
    assert json.loads(front.splitlines()[0].removeprefix("pretty_name: ")) == data["pretty_name"]


def test_size_classes() -> None:
    sizes = {999: "n<1K", 1_000: "1K<n<10K", 10**6 - 1: "100K<n<1M", 10**8: "100M<n<1B", 10**10: "10B<n<100B"}
    assert {rows: size_category(rows) for rows in sizes} == sizes
