"""hits.csv: a row for each hit, read back by csv and polars, and no cell that a spreadsheet runs."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from scanner.formulas import is_formula
from scanner.report import gather
from scanner.report._hits_csv import OF_HIT, OF_ORIGINAL, hits_csv
from scanner.run import Run
from scanner.tables import HITS, PROMPTS, SAMPLES
from tests.report.hostile import CAPTIONS, make_hostile
from tests.report.planted import STATES, Plan, make_run, overwrite

csv.field_size_limit(1 << 20)


def rows_of(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(hits_csv(gather(run)), newline="")))


@pytest.mark.parametrize("state", STATES)
def test_there_is_a_row_for_each_hit(tmp_path: Path, state: str) -> None:
    run = make_run(tmp_path / "run", STATES[state])
    text = hits_csv(gather(run))
    assert text.splitlines()[0] == ",".join(f'"{name}"' for name in (*OF_HIT, *OF_ORIGINAL, "escaped"))
    verified = run.read(HITS).filter(pl.col("verdict") != "none")["prompt_id"].to_list()
    assert sorted(row["prompt_id"] for row in rows_of(run)) == sorted(verified)


def test_all_hits_are_there_where_the_page_lists_some(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(2,) * 212, extracted=tuple(range(210)), singles=3))
    assert len(rows_of(run)) == 210


def test_figures_are_those_of_the_table(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(control_hits=1))
    frame = pl.read_csv(hits_csv(gather(run)).encode(), schema_overrides=OF_HIT | OF_ORIGINAL)
    table = run.read(HITS).filter(pl.col("verdict") == "matching").sort("prompt_id")
    for name in ("agreeing", "l2", "normalised_l2", "tile_l2", "reconstruction_l2", "copy_similarity", "k", "seed"):
        assert frame.sort("prompt_id")[name].to_list() == table[name].to_list(), name
    assert frame["copies"].to_list() == [130, 64, 33, 9, 1]
    assert frame["key"][0] == "000000000"


def test_strangers_text_comes_back_and_runs_nothing(tmp_path: Path) -> None:
    run = make_hostile(tmp_path / "run")
    formulas = ["=1+1", "\t=1+1", "+SUM(A1)", "-2", "@x", "\u200b＝1+1", 'a"b,c\nd', "\r\n@y"]
    keys = pl.Series([formulas[i % 8] for i in range(run.read(SAMPLES).height)])
    SAMPLES.write(run.path, run.read(SAMPLES).with_columns(key=keys), part="00000")
    captions = pl.Series([(formulas + CAPTIONS)[i % 18] for i in range(run.read(PROMPTS).height)])
    overwrite(run, PROMPTS, caption=captions)
    found = gather(run)
    rows = rows_of(run)
    for row, hit in zip(rows, found.hits, strict=True):
        assert not [name for name, cell in row.items() if is_formula(cell)]
        assert "\x00" not in "".join(row.values())
        caption = row["caption"][1:] if "caption" in row["escaped"].split() else row["caption"]
        assert caption == hit.caption.replace("\x00", "␀")
        assert hit.original is not None
        assert (row["key"][1:] if "key" in row["escaped"].split() else row["key"]) == hit.original.key
