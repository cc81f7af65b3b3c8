"""dataset-card.md: the duplicate and risk figures as a Hugging Face dataset card, or a part of one.

YAML between two lines of three dashes, then Markdown, https://huggingface.co/docs/hub/datasets-cards. The YAML holds
what the scan knows and nothing else: no licence and no language. Texts are written as JSON strings, which every YAML
reader takes for texts.

    >>> dataset_card(gather(run)).splitlines()[0]                                # doctest: +SKIP
    '---'
"""

import json

from scanner.report import _sentences
from scanner.report._annex import CERTIFIES
from scanner.report._findings import Findings
from scanner.report._markdown import code, table
from scanner.report._rate_table import HEADER, rate_rows
from scanner.report._show import cut

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B")
LARGEST = "10B<n<100B"
"""The hub's size classes: the first is below 10³ rows, each further one goes ten times as far."""


def dataset_card(found: Findings) -> str:
    """The whole card; strangers' texts in it are code."""
    parts = [
        _front_matter(found),
        f"# Duplicates and memorisation risk of {code(found.dataset)}",
        *_sentences.scan_sentences(found),
        "## Duplicates",
        *_sentences.duplicate_sentences(found),
        _by_copies(found),
        "## Captions at risk",
        *_sentences.risk_sentences(found),
        "## What a model gave back",
        *([] if found.target is None else [f"Target: {code(found.target)}."]),
        *_sentences.extraction_sentences(found),
        *_sentences.review_sentences(found),
        table(HEADER, [row.cells for row in rate_rows(found)]) if rate_rows(found) else "",
        "## Personal and sensitive information",
        *_sentences.sensitive_sentences(found),
        "## Known limitations",
        "\n".join(f"- {line}" for line in found.limits),
        CERTIFIES,
        f"Written by trainset-scanner {found.scanner_version} from report.json (schema {found.schema_version}).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def size_category(rows: int) -> str:
    """The hub's class of a number of rows."""
    return next((name for power, name in enumerate(_SIZES, 3) if rows < 10**power), LARGEST)


def _front_matter(found: Findings) -> str:
    lines = [
        "---",
        f"pretty_name: {_yaml_text(found.dataset)}",
        "task_categories:",
        "- text-to-image",
        "size_categories:",
        f"- {_yaml_text(size_category(found.rows.rows_in))}",
        "tags:",
        "- deduplication",
        "- memorization",
        "---",
    ]
    return "\n".join(lines)


def _yaml_text(text: str) -> str:
    """A text as a JSON string of characters that YAML 1.2 takes as they are."""
    shown = cut(text, 200).text
    return json.dumps("".join(one if one not in "\ufffe\uffff" else "\ufffd" for one in shown), ensure_ascii=False)


def _by_copies(found: Findings) -> str:
    buckets = [bucket for bucket in found.duplicates.buckets if bucket.groups]
    if not buckets:
        return ""
    rows = [(bucket.label, f"{bucket.groups:,}", f"{bucket.rows:,}") for bucket in buckets]
    return table(("copies", "groups", "rows in them"), rows)
