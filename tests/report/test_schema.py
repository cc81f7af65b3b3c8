"""The published JSON Schema of report.json is that of the model, and every report keeps to it."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from scanner.report import SCHEMA_VERSION, report_path, report_schema, write_report
from scanner.report._schema import PUBLISHED, text
from tests.report.hostile import make_hostile
from tests.report.planted import STATES, classed, make_run


def test_the_published_schema_is_that_of_the_model() -> None:
    published = resources.files("scanner.report").joinpath(PUBLISHED).read_text(encoding="utf-8")
    assert published == text(), "the model has changed: see scanner/report/_schema.py"
    jsonschema.Draft202012Validator.check_schema(report_schema())
    assert json.loads(published)["properties"]["schema_version"] == {"const": SCHEMA_VERSION}


@pytest.mark.parametrize("state", [*STATES, "classed", "hostile"])
def test_every_report_keeps_to_it(tmp_path: Path, state: str) -> None:
    path = tmp_path / "run"
    run = make_hostile(path) if state == "hostile" else make_run(path, STATES.get(state))
    write_report(classed(run) if state == "classed" else run)
    content = json.loads(report_path(run).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(report_schema())
    validator.validate(content)
    del content["annex"]
    assert not validator.is_valid(content)
