"""The calibration recipe: what random pairs of a run look like, and the thresholds at stated false-positive rates.

    scanner calibrate RUN

Writes calibration.parquet (every threshold), calibration.html (plots and tables) and, last, calibration.json into RUN;
`scanner audit --calibration RUN` takes its threshold from that. An earlier calibration of the run is replaced.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from pipelines.calibration import FILE, SCHEMA_VERSION, CalibrationRecord, KindRecord
from pipelines.configs import CalibrateConfig
from pipelines.engines import Progress, Silent
from scanner.duplicates import (
    Calibration,
    CalibrationSettings,
    KindCalibration,
    Labels,
    Scanned,
    calibrate,
    calibration_table,
    read_labels,
)
from scanner.errors import UnusableInputError
from scanner.fingerprints import stored_embeddings
from scanner.report import CalibratedRun, calibration_notes, rate, write_calibration
from scanner.run import Run, write_json
from scanner.tables import CALIBRATION, ERRORS, GROUPS, MEMBERS, PAIRS, SAMPLES

PAGE = "calibration.html"

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What the recipe made."""

    found: Calibration
    """What was measured."""
    record: CalibrationRecord
    """The content of calibration.json."""
    file: Path
    """That file."""
    page: Path
    """The page."""


def calibrate_run(run: Run, config: CalibrateConfig, progress: Progress | None = None) -> Calibrated:
    """Calibrate on a run whose rows are all read; groups are used where they are made already.

    Raises UnusableInputError, and writes nothing, when rows are still to be read, when labels can't be used, or when
    the pictures are too few for what is asked.
    """
    settings = CalibrationSettings(
        rate=config.rate,
        propose_rate=config.propose_rate,
        pairs=config.pairs,
        precision=config.precision,
        seed=config.seed,
    )
    scanned = _scanned(run)
    labels = None if config.labels is None else read_labels(Path(config.labels), run.read(SAMPLES))
    shown = progress or Silent()
    found = calibrate(scanned, settings, labels, lambda blocks, total: _tracked(blocks, total, shown))
    return _write(run, found, labels, config.labels)


def _scanned(run: Run) -> Scanned:
    if not ERRORS.exists(run.path):
        raise UnusableInputError(
            f"The rows of {run.path} are not all read yet; give its audit again, and calibrate when it is done."
        )
    samples, (_, embeddings) = run.read(SAMPLES), stored_embeddings(run.path)
    if not (MEMBERS.exists(run.path) and GROUPS.exists(run.path)):
        return Scanned(samples=samples, embeddings=embeddings)
    members, groups, pairs = (run.read(table) for table in (MEMBERS, GROUPS, PAIRS))
    return Scanned(samples=samples, embeddings=embeddings, members=members, groups=groups, pairs=pairs)


def _tracked(blocks: Iterable[Item], total: int, progress: Progress) -> Iterator[Item]:
    progress.begin("random pairs", total)
    try:
        for block in blocks:
            yield block
            progress.advance()
    finally:
        progress.end()


def _write(run: Run, found: Calibration, labels: Labels | None, labels_file: str | None) -> Calibrated:
    """The table and the page, and calibration.json last: what an audit reads belongs to what lies beside it."""
    file = run.path / FILE
    file.unlink(missing_ok=True)
    table = calibration_table(found)
    CALIBRATION.write(run.path, table)
    record = _record(run, found, labels, labels_file)
    source = CalibratedRun(
        dataset=Path(record.dataset).name,
        model=" / ".join(name for name in (record.model, record.pretrained) if name),
        labels=None if labels_file is None else Path(labels_file).name,
    )
    page = write_calibration(found, table, run.path / PAGE, source)
    write_json(file, asdict(record))
    return Calibrated(found=found, record=record, file=file, page=page)


def _record(run: Run, found: Calibration, labels: Labels | None, labels_file: str | None) -> CalibrationRecord:
    config = run.config
    said: dict[str, str | int] | None = None
    if labels is not None:
        said = {"file": Path(str(labels_file)).name, "pairs": len(labels), "same": int(labels.same.sum())}
    return CalibrationRecord(
        schema_version=SCHEMA_VERSION,
        dataset=str(config["dataset"]),
        model=str(config["model"]),
        pretrained=config.get("pretrained"),
        model_checksum=str(config["model_checksum"]),
        rows=found.rows,
        distinct=found.distinct,
        width=found.width,
        own_kind=found.own.kind,
        every_pair=found.every_pair,
        left_out_by=found.left_out_by,
        seed=found.settings.seed,
        proposes=_kind_record(found.proposes, found.distinct),
        decides=_kind_record(found.decides, found.distinct),
        labels=said,
        notes=calibration_notes(found),
    )


def _kind_record(kind: KindCalibration, distinct: int) -> KindRecord:
    at = kind.threshold
    return KindRecord(
        threshold=at.cosine,
        threshold_low=at.cosine_low,
        threshold_high=at.cosine_high,
        rate=at.rate,
        reached=at.reached,
        pairs=at.pairs,
        rate_low=at.rate_low,
        rate_high=at.rate_high,
        left_out=kind.left_out.total,
        left_out_reached=kind.left_out.reached(at.cosine),
        candidates_per_row=at.reached / at.pairs * (distinct - 1),
        known=kind.accepted.total,
        known_reached=kind.accepted.reached(at.cosine),
        whitened=kind.whitened,
        dims=kind.dims,
        embedding=kind.embedding,
        precision=_precision(kind),
    )


def _precision(kind: KindCalibration) -> dict[str, float | int] | None:
    if kind.precise is None or kind.labelled is None:
        return None
    at = kind.precise
    precision, recall = rate(at.same, at.reached), rate(at.same, kind.labelled.same.total)
    return {
        "threshold": at.cosine,
        "wanted": at.wanted,
        "same": at.same,
        "reached": at.reached,
        "low": precision.low,
        "high": precision.high,
        "recall_low": recall.low,
        "recall_high": recall.high,
    }
