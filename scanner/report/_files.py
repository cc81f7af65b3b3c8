"""The files beside the page: each is rendered from the one model of the findings, so none can disagree with another.

>>> sorted(files(gather(run)))                                               # doctest: +SKIP
['croissant-rai.json', 'dataset-card.md', 'hits.csv', 'report.json', 'results.sarif', 'summary.md']
"""

import json
from dataclasses import asdict

from scanner.report._croissant import croissant
from scanner.report._dataset_card import dataset_card
from scanner.report._findings import Findings
from scanner.report._hits_csv import hits_csv
from scanner.report._sarif import sarif
from scanner.report._seal import seal
from scanner.report._summary import summary

REPORT = "report.json"
CROISSANT = "croissant-rai.json"


def files(found: Findings) -> dict[str, bytes]:
    """By name the content of every file of the report but the page."""
    report = json.dumps(seal(asdict(found)), indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
    texts = {
        REPORT: report,
        "results.sarif": sarif(found),
        "dataset-card.md": dataset_card(found),
        "hits.csv": hits_csv(found),
        "summary.md": summary(found),
    }
    written = {name: text.encode("utf-8") for name, text in texts.items()}
    return {**written, CROISSANT: croissant(found, written).encode("utf-8")}
