"""The export recipe: prompts, drop lists and repaired shards, for other tools.

scanner export RUN --format jsonl --out prompts.jsonl
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from pipelines.configs import ExportOptions
from pipelines.engines import LocalEngine
from pipelines.export_evidence import export_evidence
from pipelines.export_options import READ_BY_EVIDENCE, READ_BY_PROMPTS, refuse_unread
from pipelines.export_rows import ROW_FORMATS, export_rows
from scanner import __version__
from scanner.errors import UnusableInputError
from scanner.exports import Selection, counted, select_prompts
from scanner.exports.prompts import PROMPT_FORMATS, ListFacts, carried
from scanner.files import replacing
from scanner.run import Run
from scanner.tables import HITS, PROMPTS

EVIDENCE = "evidence"
"""The format of hits."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    path: Path
    """The file or folder."""
    format: str
    """Its format."""
    entries: int
    """Prompts or rows in it."""
    left_out: int = 0
    """Prompts that the format can't carry."""
    sentence: str
    """The same for people."""


def export(run: Run, out: Path, options: ExportOptions, engine: LocalEngine | None = None) -> Exported:
    """Write the run's prompts or rows to `out` in one of the formats.

    Raises UnusableInputError, and writes nothing, when the run is not audited to its end, nothing is left by the
    filters, the format can't carry a prompt, or `out` exists and may not be replaced.
    """
    if "audit" not in run.manifest().get("parts", {}):
        raise UnusableInputError(f"The audit in {run.path} is not finished; give the same `scanner audit` again first.")
    _refuse_old_risks(run, options)
    if options.format in ROW_FORMATS:
        return _export_rows(run, out, options, engine or LocalEngine())
    if options.format == EVIDENCE:
        return _export_evidence(run, out, options)
    if out.exists() and not options.overwrite:
        raise UnusableInputError(f"{out} exists; name another place, or give --overwrite to replace it.")
    if options.format not in PROMPT_FORMATS:
        raise UnusableInputError(
            f"There is no format '{options.format}'; use one of {', '.join([*PROMPT_FORMATS, *ROW_FORMATS, EVIDENCE])}."
        )
    refuse_unread(options, READ_BY_PROMPTS)
    return _export_prompts(run, out, options)


def print_exported(exported: Exported, *, as_json: bool) -> None:
    """What was written, on standard output."""
    if as_json:
        json.dump(asdict(exported) | {"path": str(exported.path)}, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{exported.sentence}\n{exported.path}\n")


def selection_of(options: ExportOptions) -> Selection:
    """The filters of the options."""
    arms = ("risk", "control") if options.arm == "all" else (options.arm or "risk",)
    return Selection(
        arms=arms,
        classes=options.risk,
        least_risk=options.min_risk or 0.0,
        verdicts=options.verdict,
        ranks=options.rank_range(),
    )


def selected_prompts(run: Run, options: ExportOptions) -> pl.DataFrame:
    """The run's prompts that the filters leave. Raises UnusableInputError when there are none."""
    hits = run.read(HITS) if HITS.exists(run.path) else None
    prompts = select_prompts(run.read(PROMPTS), hits, selection_of(options))
    if prompts.is_empty():
        raise UnusableInputError("No prompt is left by these filters, so nothing was written; loosen them.")
    return prompts


def _refuse_old_risks(run: Run, options: ExportOptions) -> None:
    """Classes and their boundaries belong to the formula of the risk, and a run from before them has another one's."""
    if not options.risk and options.min_risk is None:
        return
    if "risk_class" not in PROMPTS.scan(run.path).collect_schema():
        raise UnusableInputError(
            f"The risks in {run.path} were made by an older formula than the classes; audit the data set again, into "
            "another directory, or leave --risk and --min-risk out."
        )


def _export_rows(run: Run, out: Path, options: ExportOptions, engine: LocalEngine) -> Exported:
    by_prompts = replace(options, arm=None, risk=(), min_risk=None)  # a group has a risk without a listed prompt too
    prompts = selected_prompts(run, by_prompts) if selection_of(by_prompts).narrows else None
    made = export_rows(run, out, options, prompts, engine)
    return Exported(path=out, format=options.format, entries=made.entries, sentence=made.sentence)


def _export_evidence(run: Run, out: Path, options: ExportOptions) -> Exported:
    refuse_unread(options, READ_BY_EVIDENCE)
    prompts = selected_prompts(run, options)
    hits = export_evidence(run, out, prompts, overwrite=options.overwrite)
    sentence = f"Evidence of {counted(hits, 'hit')}; regenerate.py in it makes the images again and checks them."
    return Exported(path=out, format=EVIDENCE, entries=hits, sentence=sentence)


def _export_prompts(run: Run, out: Path, options: ExportOptions) -> Exported:
    chosen = PROMPT_FORMATS[options.format]
    writing = chosen.writing_for(out)
    asked = selected_prompts(run, options)
    prompts = carried(asked, writing, skip=options.skip_unwritable)
    _write(out, writing.encode(prompts, _facts(run)))
    left_out = len(asked) - len(prompts)
    return Exported(
        path=out,
        format=chosen.name,
        entries=len(prompts),
        left_out=left_out,
        sentence=f"{counted(len(prompts), 'prompt')} for {chosen.consumer}"
        + (f"; {counted(left_out, 'prompt')} left out, since of each {writing.reason}." if left_out else "."),
    )


def _facts(run: Run) -> ListFacts:
    attack = run.part_config("attack")
    target = None if attack is None else str(attack["target"])
    return ListFacts(dataset=str(run.config["dataset"]), target=target, version=__version__)


def _write(out: Path, parts: Iterable[bytes]) -> None:
    try:
        with replacing(out) as temporary, temporary.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise UnusableInputError(f"{out} can't be written ({error.strerror}); name another place.") from error
