"""What stands beside the pictures."""

from pathlib import Path

import polars as pl
import pytest

import scanner
from scanner.opened import OpenedRun
from scanner.review import MadeImages, list_items, show_group, show_pair
from scanner.run import Run
from scanner.tables import GENERATIONS
from tests.review.planted import EVIDENCE, Planned, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path, Planned(copies=5))


def test_a_pair_has_its_generations_the_one_that_stands_for_it_first(run: Run) -> None:
    shown = show_pair(OpenedRun(run), list_items(run).row(0, named=True), MadeImages(run))
    made = [(one.image_index, one.seed, one.distance) for one in shown.generations]
    assert made == [(EVIDENCE + 1, 10_001, 0.05), (EVIDENCE, 10_000, 0.06), (EVIDENCE + 2, 10_002, 0.09)]
    assert (shown.original.sample_id, shown.original.key, shown.copies) == (0, "000000", 5)
    assert (shown.facts["agreeing"], shown.facts["evidence"], shown.facts["tile_l2"]) == (3, 3, 0.08)


def test_numbers_that_are_none_are_left_out(run: Run) -> None:
    frame = run.read(GENERATIONS).with_columns(normalised_l2=pl.lit(float("nan")))
    GENERATIONS.write(run.path, frame, part="attack-00000")
    shown = show_pair(OpenedRun(run), list_items(run).row(0, named=True), MadeImages(run))
    assert [one.distance for one in shown.generations] == [None] * 3


def test_a_group_shows_each_different_picture_once_with_its_rows(run: Run) -> None:
    group = show_group(OpenedRun(run), 5)
    shown = [(one.sample_id, one.rows, round(one.similarity, 2)) for one in group.members]
    assert shown == [(5, 4, 1.0), (6, 1, 0.93)]
    assert (group.pictures, group.captions) == (2, (("picture number 1", 5),))
    assert (group.facts["copies"], group.facts["split_from"]) == (5, None)


def test_decisions_are_a_table_of_an_opened_run(run: Run) -> None:
    assert scanner.open_run(run.path).reviews.collect().is_empty()
