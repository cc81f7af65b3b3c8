"""croissant-rai.json: the data set's duplicates and risks in Croissant 1.1 with the RAI vocabulary 1.0 (JSON-LD).

A part of a Croissant description that a data set can take over: limitations, personal information, how the figures came
about. It describes the files of the report as its distribution, with their hashes, and hits.csv as records; the data
set's own files, licence and creators are its publisher's to state.

Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
RAI 1.0, https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html

    >>> json.loads(croissant(gather(run), {}))["@type"]                          # doctest: +SKIP
    'sc:Dataset'
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from scanner.report import _sentences
from scanner.report._annex import CERTIFIES
from scanner.report._findings import Findings
from scanner.report._hits_csv import OF_HIT, OF_ORIGINAL
from scanner.report._show import cut

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_CROISSANT = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *(
        "fileObject",
        "fileSet",
        "format",
        "includes",
        "isArray",
        "isLiveDataset",
        "jsonPath",
        "key",
        "md5",
        "parentField",
    ),
    *("path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
    *("subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _CROISSANT},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
"""Terms of Croissant 1.1 (the appendix of its specification) and, for how the figures came about, W3C PROV-O."""
FORMATS = {
    **{".csv": "text/csv", ".json": "application/json", ".md": "text/markdown", ".sarif": "application/sarif+json"},
    **{".html": "text/html"},
}
_TYPES = {pl.String: "sc:Text", pl.Int64: "sc:Integer", pl.Float64: "sc:Float", pl.Boolean: "sc:Boolean"}
HITS = "hits.csv"


def croissant(found: Findings, files: Mapping[str, bytes]) -> str:
    """The whole file; `files` are the files of the report beside it, by name."""
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": cut(found.dataset, 200).text or "unnamed",
        "description": f"{cut(found.headline, 1_000).text} {cut(found.summary, 2_000).text} {CERTIFIES}",
        "rai:dataLimitations": [
            *_sentences.duplicate_sentences(found),
            *_sentences.risk_sentences(found),
            *(cut(line, 2_000).text for line in found.limits),
        ],
        "rai:personalSensitiveInformation": [
            *_sentences.sensitive_sentences(found),
            *_sentences.extraction_sentences(found),
            *_sentences.review_sentences(found),
        ],
        "rai:dataPreprocessingProtocol": _sentences.scan_sentences(found),
        "distribution": [_file(found, name, content) for name, content in sorted(files.items())],
        **({"recordSet": [_records()]} if HITS in files else {}),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _file(found: Findings, name: str, content: bytes) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": FORMATS["." + name.rsplit(".", 1)[1]],
        "sha256": hashlib.sha256(content).hexdigest(),
        "prov:wasGeneratedBy": {
            "@type": "prov:Activity",
            "prov:label": "Scan of the data set for duplicates and memorisation risk",
            "prov:wasAssociatedWith": {
                "@type": "prov:SoftwareAgent",
                "prov:label": f"trainset-scanner {found.scanner_version}",
            },
        },
    }


def _records() -> dict[str, Any]:
    """The columns of hits.csv."""
    return {
        "@type": "cr:RecordSet",
        "@id": "hits",
        "name": "hits",
        "description": "A row for each prompt whose generations gave back a training image, as the scan verified it.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"hits/{name}",
                "name": name,
                "dataType": _TYPES[dtype],
                "source": {"fileObject": {"@id": HITS}, "extract": {"column": name}},
            }
            for name, dtype in (OF_HIT | OF_ORIGINAL | {"escaped": pl.String}).items()
        ],
    }
