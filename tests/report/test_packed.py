"""The packed tables hold every row, in the order of the run's tables, with texts cut and nothing invisible in them."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scanner.report import _packed as packed
from scanner.report import gather, write_report
from scanner.report._packed import Packed, collect_tables
from scanner.report._show import visible
from scanner.run import Run
from scanner.tables import GROUPS, PROMPTS
from tests.report.hostile import CAPTIONS, cycle
from tests.report.page import Page
from tests.report.planted import Plan, make_run, overwrite

PLAN = Plan(copies=(4,) * 150 + (2,) * 100, extracted=(0, 3), singles=300, control_hits=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make_run(tmp_path_factory.mktemp("runs") / "run", PLAN)
    overwrite(run, PROMPTS, caption=cycle(CAPTIONS, 550), reason=pl.lit("why\u202e" + "r" * 200))
    return run


def unpacked(table: Packed | None) -> Any:
    assert table is not None
    return json.loads(gzip.decompress(base64.b64decode(table.content)))


def test_every_prompt_is_there(run: Run) -> None:
    tables = collect_tables(run, gather(run))
    prompts, captions = unpacked(tables.prompts), unpacked(tables.captions)
    stored = run.read(PROMPTS).sort(pl.col("arm") != "risk", "rank")
    assert tables.prompts is not None
    assert tables.prompts.rows == 550
    for name in ("prompt_id", "arm", "rank", "copies", "group_id"):
        assert prompts[name] == stored[name].to_list()
    assert prompts["risk"][:3] == [0.95, 0.855, 0.7695]
    assert prompts["verdict"].count("matching") == 3
    assert prompts["triage_passed"][249:251] == [False, False]
    assert prompts["generated"][249] is None
    assert [captions[place] for place in prompts["caption"][:5]] == [
        CAPTIONS[0],
        "⟨U+202E⟩gpj.exe⟨U+202C⟩ with ⟨U+2066⟩direction⟨U+2069⟩ marks",
        "null⟨U+0000⟩byte, ⟨U+001B⟩[31mescape and bell⟨U+0007⟩",
        CAPTIONS[3],
        "y" * 120 + "…",
    ]
    assert prompts["reason"][0] == "why⟨U+202E⟩" + "r" * 96 + "…"
    assert len(captions) == len(set(captions)), "each once"


def test_every_group_is_there_with_its_hits(run: Run) -> None:
    tables = collect_tables(run, gather(run))
    groups, captions = unpacked(tables.groups), unpacked(tables.captions)
    stored = run.read(GROUPS).sort("copies", "group_id", descending=[True, False])
    for name in ("group_id", "copies", "distinct_images", "distinct_captions"):
        assert groups[name] == stored[name].to_list()
    assert [captions[place] for place in groups["caption"]] == stored["top_caption"].to_list()
    assert [group for group, hits in zip(groups["group_id"], groups["hits"], strict=True) if hits] == [0, 12]


def test_a_run_that_is_listed_whole_packs_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    tables = collect_tables(run, gather(run))
    assert (tables.prompts, tables.groups, tables.captions) == (None, None, None)
    assert Page(write_report(run)).blocks == {}


def test_beyond_what_a_page_bears_the_controls_keep_their_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST", 200)
    tables = collect_tables(run, gather(run))
    arms = unpacked(tables.prompts)["arm"]
    assert (arms.count("risk"), arms.count("control")) == (180, 20)
    page = Page(write_report(run))
    assert "goes through the first 200 prompts" in page.text
    assert "The groups with most copies as a table" in page.text


def test_the_page_holds_what_was_packed(run: Run) -> None:
    tables = collect_tables(run, gather(run))
    page = Page(write_report(run))
    wanted = {"packed-captions": tables.captions, "packed-prompts": tables.prompts, "packed-groups": tables.groups}
    assert page.blocks == {name: table.content for name, table in wanted.items() if table}


@pytest.mark.parametrize(
    "text", [*CAPTIONS, "", "a b", "\u00a0", "\u3000", "\u00ad", "\ue000", "é\u0301", "line\u2028"]
)
def test_printable_texts_are_as_they_were(text: str) -> None:
    """The quick way for texts in which nothing is hidden says what the slow way says."""
    assert visible(text) == "".join(visible(character) for character in text)
