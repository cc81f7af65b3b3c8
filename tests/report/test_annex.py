"""The annex says what was tested and what was not, for each kind of run, and never more than that."""

from pathlib import Path

import pytest

from scanner.report import Findings, Rate, gather
from scanner.report._annex import CERTIFIES
from scanner.report._sentences import extraction_sentences
from scanner.run import write_json
from tests.report.planted import STATES, make_run


@pytest.mark.parametrize("state", STATES)
def test_sample_sizes_are_those_of_the_findings(tmp_path: Path, state: str) -> None:
    found = gather(make_run(tmp_path / "run", STATES[state]))
    annex = found.annex
    sizes = {one.what: one.size for one in annex.sample_sizes}
    assert sizes["rows of the data set"] == found.rows.rows_in
    assert ("high-risk prompts tried" in sizes) is found.attacked
    if found.attacked:
        assert sizes["high-risk prompts tried"] == found.arms[0].tried
        assert sizes["images generated of control prompts"] == found.arms[1].cost.images
    assert annex.certifies == CERTIFIES
    assert any(attack.in_scope for attack in annex.attacks) is found.attacked
    references = {one.reference.split(",")[0] for one in annex.evidence}
    tested = {"MS-2.10-003", "MS-2.10-001", "LLM02:2025", "AML.T0024.001", "section 3.2"}
    assert references == (tested if found.attacked else {"MS-2.10-003"})
    assert [one.rate for one in annex.controls][:1] == ([found.arms[1].verified] if found.attacked else [recall(found)])


def recall(found: Findings) -> Rate | None:
    return None if found.recall is None else found.recall.whole


def test_an_attack_without_any_image_is_said_to_be_one(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", STATES["before_training"])
    run.claim_part("attack", {"target": "planted-model/"})
    found = gather(run)
    assert found.annex.threat_model.access == "An attack was begun, and no image of the model was generated."
    assert "tester" not in found.annex.threat_model.adversary
    assert extraction_sentences(found) == ["An attack was begun, and no image was generated; triage scored 0 prompts."]


def test_an_attack_that_compared_nothing_is_no_evidence_of_extraction(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    write_json(run.path / "attack.json", {"config": {"target": "planted-model/", "originals": False}, "versions": {}})
    found = gather(run)
    assert not any(attack.in_scope for attack in found.annex.attacks)
    assert len(found.annex.evidence) == 1
    assert found.annex.controls[0].rate == found.arms[1].cliques
