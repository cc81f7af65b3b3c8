"""summary.md: the findings in a screenful of Markdown, for a pull request or a job's summary.

>>> summary(gather(run)).splitlines()[0]                                     # doctest: +SKIP
'### For 4 of 8 high-risk prompts the model gave back a training image.'
"""

from scanner.report._annex import CERTIFIES
from scanner.report._findings import Findings
from scanner.report._markdown import code, table
from scanner.report._rate_table import HEADER, rate_rows
from scanner.report._records import Hit
from scanner.report._sentences import review_sentences
from scanner.report._show import visible
from scanner.report._words import count

HITS = 5
"""Hits that are named."""


def summary(found: Findings) -> str:
    """The whole text; strangers' texts in it are code."""
    rows, duplicates = found.rows, found.duplicates
    aside = f" + {rows.set_aside:,} set aside" if rows.set_aside else ""
    target = "no model attacked" if found.target is None else f"attack on {code(found.target)}"
    parts = [
        f"### {_safe(found.headline)}",
        f"Data set {code(found.dataset)}, {target}: {count(rows.rows_in, 'row')} = {rows.read:,} read{aside} + "
        f"{rows.failed:,} failed; {count(duplicates.groups, 'duplicate group')} of {count(duplicates.rows, 'row')}, "
        f"the largest of {duplicates.largest:,}.",
        _verdict(found),
        table(HEADER, [row.cells for row in rate_rows(found)]) if rate_rows(found) else "",
        *review_sentences(found),
        *_hits(found.hits),
        *(f"**Check failed:** {_safe(check.sentence)}" for check in found.checks if not check.passed),
        f"{CERTIFIES} Everything else stands in `report.json` and `index.html` of this report (schema "
        f"{found.schema_version}).",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(found: Findings) -> str:
    """What to know of the state of the run, where it is not the usual one."""
    lines = []
    if not found.complete:
        lines.append("The run is not finished: the figures cover what is there so far.")
    if found.attacked and not found.compared:
        lines.append("Nothing was compared with the training images, so nothing is verified.")
    if found.stopped is not None:
        lines.append(f"The attack was stopped: {code(found.stopped)}")
    return " ".join(lines)


def _hits(hits: tuple[Hit, ...]) -> list[str]:
    if not hits:
        return []
    lines = [
        f"- {hit.verdict}{', control' if hit.arm == 'control' else ''}: {code(hit.caption)}, "
        f"{hit.agreeing:,} of {count(hit.evidence, 'generation')} agree, {count(hit.copies, 'copy', 'copies')}"
        for hit in hits[:HITS]
    ]
    rest = [] if len(hits) <= HITS else [f"- and {len(hits) - HITS:,} more in `hits.csv`"]
    return ["\n".join([*lines, *rest])]


def _safe(sentence: str) -> str:
    """Our own sentence, which may quote a name: no mark in it is Markdown."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>#|~@!" else mark for mark in visible(sentence))
