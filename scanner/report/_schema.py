"""The JSON Schema (draft 2020-12) of report.json, made of the model itself and published as report.schema.json.

The published file is a copy for programs that have no Python at hand; a test holds it to this function. Written anew,
after the model has changed, by

    python -c "from scanner.report._schema import text; print(text(), end='')" > scanner/report/report.schema.json

>>> report_schema()["properties"]["sha256"]["pattern"]
'^[0-9a-f]{64}$'
"""

import json
from typing import Any

import msgspec

from scanner.report._findings import SCHEMA_VERSION, Findings
from scanner.report._seal import FIELD

PUBLISHED = "report.schema.json"


def report_schema() -> dict[str, Any]:
    """What every report.json of this version keeps to."""
    (_, components) = msgspec.json.schema_components([Findings], ref_template="#/$defs/{name}")
    found = components.pop(Findings.__name__)
    sealed = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "Hash of all other fields."}
    version = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"report.json of trainset-scanner, schema {SCHEMA_VERSION}",
        "description": found["description"],
        "type": "object",
        "properties": {**found["properties"], "schema_version": version, FIELD: sealed},
        "required": [*found["required"], FIELD],
        "$defs": components,
    }


def text() -> str:
    """The published file."""
    return json.dumps(report_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
