"""The files beside the page for a model that takes no prompt, whose findings are pictures and not prompts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scanner.report import Unconditional, gather, rate
from scanner.report._annex import annex
from scanner.report._croissant import croissant
from scanner.report._dataset_card import dataset_card
from scanner.report._findings import Findings
from scanner.report._hits_csv import hits_csv
from scanner.report._records import Memorised
from scanner.report._sarif import sarif
from scanner.report._summary import summary
from scanner.report._words import headline
from scanner.report._words import summary as in_words
from tests.report.planted import Plan, make_run
from tests.report.test_sarif import valid


@pytest.fixture
def found(tmp_path: Path) -> Findings:
    """3 of 298 images show the picture of a group of 4; one other picture was shown once."""
    planted = gather(make_run(tmp_path / "run", Plan(copies=(4, 2), extracted=(), singles=30, attacked=False)))
    group, other = planted.groups
    shown = {"adaptive_l2": 0.4, "l2": 0.05, "image_index": 7, "seed": 11, "review": None}
    most = (
        Memorised(sample=group.medoid, group_id=0, copies=4, candidates=3, generations=3, memorised=True, **shown),
        Memorised(sample=other.medoid, group_id=4, copies=2, candidates=1, generations=1, memorised=False, **shown),
    )
    outcome = Unconditional(
        images=300,
        usable=298,
        evaluations=1200,
        threshold=0.5,
        lowered=True,
        within=rate(4, 298),
        candidates=rate(4, 298),
        controls_within=rate(0, 30),
        controls_paper=rate(1, 30),
        memorised=1,
        paper_pictures=2,
        by_copies=(),
        most=most,
    )
    model = replace(planted, target="ddpm", unconditional=outcome)
    model = replace(model, headline=headline(model), summary=in_words(model))
    return replace(model, annex=annex(model))


def test_memorised_pictures_are_results(found: Findings) -> None:
    run = valid(sarif(found))
    (result,) = [one for one in run["results"] if one["ruleId"] == "extraction/unconditional"]
    assert (result["level"], result["occurrenceCount"], result["properties"]["seed"]) == ("error", 4, 11)
    assert set(result["partialFingerprints"]) == {"primaryLocationLineHash", "content/v1"}


def test_texts_give_counts_and_intervals(found: Findings) -> None:
    for text in (summary(found), dataset_card(found), croissant(found, {})):
        assert "1 training picture" in text
        assert "4 of 298" in text
        assert "0 of 30" in text
        assert "0.37 to 3.4 %" in text
    assert "No model was attacked" not in dataset_card(found)
    assert len(hits_csv(found).splitlines()) == 1


def test_the_annex_is_that_of_a_model_without_prompts(found: Findings) -> None:
    scope = {attack.name: attack.in_scope for attack in found.annex.attacks}
    assert [name for name, inside in scope.items() if inside] == ["training data extraction without prompts"]
    assert found.annex.attacks[0].why == "The target takes no prompt."
    assert json.dumps([one.what for one in found.annex.sample_sizes]).count("without a prompt") == 1
    assert len(found.annex.evidence) == 5
