"""croissant-rai.json: valid for mlcroissant in every state; files are those beside it, records those of hits.csv."""

import hashlib
import json
import warnings
from pathlib import Path

import pytest

from scanner.report import gather, write_report
from scanner.report._croissant import CONFORMS_TO
from scanner.report._files import CROISSANT
from scanner.run import Run
from tests.report.hostile import make_hostile
from tests.report.planted import STATES, Plan, classed, make_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mlcroissant

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib", "ignore::DeprecationWarning:mlcroissant")
"""mlcroissant uses what rdflib is about to take away."""

LEFT_TO_THE_PUBLISHER = {"citeAs", "datePublished", "license", "version"}


def read(run: Run) -> mlcroissant.Dataset:
    """The written file, as mlcroissant reads it: raises for any error."""
    write_report(run)
    dataset = mlcroissant.Dataset(jsonld=run.path / "report" / CROISSANT)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    asked = {warning.split('"')[1].rsplit("/", 1)[1] for warning in issues.warnings}
    assert asked == LEFT_TO_THE_PUBLISHER, "what the scan does not know, and nothing else"
    return dataset


@pytest.mark.parametrize("state", [*STATES, "classed", "hostile"])
def test_it_is_valid_in_every_state(tmp_path: Path, state: str) -> None:
    path = tmp_path / "run"
    run = make_hostile(path) if state == "hostile" else make_run(path, STATES.get(state))
    run = classed(run) if state == "classed" else run
    metadata = read(run).metadata
    found = gather(run)
    assert tuple(metadata.conforms_to) == CONFORMS_TO
    assert metadata.name == "planted/"
    assert set(found.limits) <= set(metadata.data_limitations)
    assert any("not judged" in line for line in metadata.personal_sensitive_information)
    assert f"{found.rows.read:,} read" in metadata.data_preprocessing_protocol[0]


def test_its_files_are_those_beside_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    dataset = read(run)
    folder = run.path / "report"
    there = {file.name for file in folder.iterdir()} - {CROISSANT, "index.html"}
    assert {file.name for file in dataset.metadata.file_objects} == there
    for file in dataset.metadata.file_objects:
        assert file.sha256 == hashlib.sha256((folder / file.name).read_bytes()).hexdigest()
    content = json.loads((folder / CROISSANT).read_text(encoding="utf-8"))
    activities = [file["prov:wasGeneratedBy"]["@type"] for file in content["distribution"]]
    assert activities == ["prov:Activity"] * len(there)


def test_its_records_are_the_hits(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(control_hits=1))
    dataset, found = read(run), gather(run)
    records = list(dataset.records("hits"))
    assert [record["hits/prompt_id"].decode() for record in records] == [hit.prompt_id for hit in found.hits]
    assert [record["hits/normalised_l2"] for record in records] == [hit.normalised_l2 for hit in found.hits]
    assert [record["hits/caption"].decode() for record in records] == [hit.caption for hit in found.hits]
