"""Sentences: scoped, counted, and never more certain than the figures."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from scanner.report import gather, rate
from scanner.report._words import count, finest, limits, percent, scoped
from scanner.tables import HITS
from tests.report.planted import Plan, make_run, overwrite

NOTHING = {"copies": (), "extracted": (), "attacked": False}


@pytest.mark.parametrize(
    ("share", "text"),
    [
        *((None, "–"), (0, "0 %"), (1, "100 %"), (0.0596, "6.0 %"), (0.5, "50.0 %")),
        *((0.00042, "0.042 %"), (0.0003, "0.03 %"), (1e-9, "< 0.001 %"), (0.9999, "> 99.9 %")),
    ],
)
def test_percent(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_counts_have_number() -> None:
    assert [count(n, "copy", "copies") for n in (0, 1, 1200)] == ["0 copies", "1 copy", "1,200 copies"]


def test_a_finding_is_scoped() -> None:
    assert scoped(rate(0, 60), "prompts") == "0 of 60 prompts (exact 95 % interval 0 to 6.0 %)"


def test_the_finest_rate_an_arm_supports() -> None:
    assert finest(0) == "Without controls no false-positive rate can be stated."
    assert finest(60) == "With 60 controls no false-positive rate below 1.7 % can be told from zero."


@pytest.mark.parametrize(
    ("plan", "headline"),
    [
        (Plan(), "For 4 of 8 high-risk prompts the model gave back a training image."),
        (
            Plan(extracted=()),
            "None of 8 high-risk prompts gave back a verified training image under this protocol.",
        ),
        (Plan(attacked=False), "282 of 322 images are copies of one another, in 8 groups."),
        (Plan(**NOTHING), "No duplicate group was found among 40 images at these settings."),
        (Plan(**NOTHING, singles=0), "No image could be read: all 5 rows stand in the ledger."),
        (Plan(**NOTHING, singles=0, errors=0), "The data set gave no rows: nothing was scanned."),
        (
            Plan(copies=(2,), extracted=(), singles=3, attacked=False),
            "2 of 5 images are copies of one another, in 1 group.",
        ),
    ],
)
def test_headlines(tmp_path: Path, plan: Plan, headline: str) -> None:
    assert gather(make_run(tmp_path / "run", plan)).headline == headline


def test_a_headline_says_which_hits_are_layouts_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    first = run.read(HITS).filter(pl.col("verdict") == "matching")["prompt_id"][0]
    overwrite(run, HITS, verdict=pl.when(pl.col("prompt_id") == first).then(pl.lit("template")).otherwise("verdict"))
    assert gather(run).headline == (
        "For 4 of 8 high-risk prompts the model gave back a training image, "
        "for 1 of them the layout that several share."
    )


def test_no_hit_is_a_bound_and_not_an_all_clear(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run", Plan(extracted=())))
    assert "0 of 8 high-risk prompts (exact 95 % interval 0 to 36.9 %)" in found.summary
    assert found.advice[0].title == "Read this as a bound, not as an all-clear"
    everything = " ".join([found.headline, found.summary, *found.limits, *(step.text for step in found.advice)])
    assert "no memorisation" not in everything.lower()


def test_triage_that_lets_nothing_through_is_said(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run", Plan(copies=(2,), extracted=(), singles=3)))
    assert found.headline == "None of 1 high-risk prompt gave back a verified training image under this protocol."
    assert "Triage let no high-risk prompt through" in found.summary
    assert any(line.startswith("Triage held back 1 high-risk prompt,") for line in found.limits)


@pytest.mark.parametrize(
    ("lowered", "words"), [(None, "no independent"), (True, "too favourable"), (False, "measures the error")]
)
def test_what_the_control_rate_is_worth(tmp_path: Path, lowered: bool | None, words: str) -> None:
    found = gather(make_run(tmp_path / "run"))
    found = replace(found, thresholds=replace(found.thresholds, lowered=lowered))
    assert any(words in line for line in limits(found))


def test_control_hits_come_first(tmp_path: Path) -> None:
    titles = [step.title for step in gather(make_run(tmp_path / "run", Plan(control_hits=2))).advice]
    assert titles[0] == "Read the control hits first"
    assert "Decide on 2 originals outside any group" in titles
    assert "Drop or re-caption the 4 duplicate groups behind them" in titles


def test_few_controls_are_said_and_enough_are_not(tmp_path: Path) -> None:
    few = gather(make_run(tmp_path / "few", Plan(singles=99)))
    enough = gather(make_run(tmp_path / "enough", Plan(singles=100)))
    assert any(step.title == "Draw more controls" for step in few.advice)
    assert not any(step.title == "Draw more controls" for step in enough.advice)


def test_before_training_the_attack_is_a_next_step(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run", Plan(attacked=False)))
    assert "No model has been attacked" in found.summary
    assert "Attack the model once it is trained" in [step.title for step in found.advice]
    assert not any("arm" in line for line in found.limits)
