"""What calibration.json holds, and how an audit takes its threshold from it.

    config, header = with_calibration(AuditConfig(calibration="runs/laion"), source)

An audit of pictures takes the threshold that `proposes`, one of embeddings alone the one that `decides`. A cosine means
the same only for the same model, and after whitening only for vectors of as many dimensions, so both are compared.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from pipelines.changes import begins
from pipelines.configs import AuditConfig
from pipelines.embedding import EmbeddingSource
from scanner.duplicates import DuplicatesConfig, whitened_dims
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import OWN_MODEL
from scanner.tables import SAMPLES

FILE = "calibration.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class KindRecord:
    """The threshold for one use of a cosine."""

    threshold: float
    """The cosine at the stated false-positive rate."""
    threshold_low: float
    """Lower end of its distribution-free 95 % interval."""
    threshold_high: float
    """Upper end of it."""
    rate: float
    """The stated rate."""
    reached: int
    """Random pairs at the threshold or above."""
    pairs: int
    """Of so many, known copies left out."""
    rate_low: float
    """Lower end of the exact 95 % interval of reached / pairs."""
    rate_high: float
    """Upper end of it."""
    left_out: int
    """Random pairs left out as known copies."""
    left_out_reached: int
    """Those at the threshold or above."""
    candidates_per_row: float
    """Pictures of the set that reach the threshold with one by chance, on average."""
    known: int
    """Pairs that the run accepted."""
    known_reached: int
    """Those at the threshold or above."""
    whitened: bool
    """Whether the vectors were whitened."""
    dims: int
    """Their dimensions."""
    embedding: str
    """The same in words."""
    precision: dict[str, float | int] | None
    """The threshold of the wanted precision on the labelled sample: threshold, wanted, same, reached, and the exact
    95 % intervals low to high of the precision and recall_low to recall_high of the recall."""


@dataclass(frozen=True, kw_only=True)
class CalibrationRecord:
    """What calibration.json holds."""

    schema_version: int
    """Of this layout."""
    dataset: str
    """What was scanned."""
    model: str
    """Its model, as run.json names it."""
    pretrained: str | None
    """The tag of the weights."""
    model_checksum: str
    """sha-256 of the weights."""
    rows: int
    """Rows of the run."""
    distinct: int
    """Distinct pictures, or embeddings where there are no pictures."""
    width: int
    """Numbers in an embedding."""
    own_kind: str
    """The one that a data set like this needs: proposes (pictures) or decides (embeddings alone)."""
    every_pair: bool
    """All pairs were taken, each once; otherwise they were drawn."""
    left_out_by: str
    """How copies among the random pairs were known: groups, hashes, similarity or nothing."""
    seed: int
    """Of the drawing."""
    proposes: KindRecord
    """For data sets with pictures, where the pictures decide."""
    decides: KindRecord
    """For data sets of embeddings alone."""
    labels: dict[str, str | int] | None
    """The labelled sample: file, pairs and same."""
    notes: tuple[str, ...]
    """What the figures rest on, in sentences."""


def calibration_file(given: Path) -> Path:
    """The file that is meant by it or by its run directory."""
    return given / FILE if given.is_dir() else given


def read_calibration(given: Path) -> CalibrationRecord:
    """Raises UnusableInputError when there is none, or when it is no calibration."""
    path = calibration_file(given)
    if not path.is_file():
        raise UnusableInputError(f"There is no calibration {path}; make one with `scanner calibrate RUN`.")
    try:
        return msgspec.json.decode(path.read_bytes(), type=CalibrationRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{path} is no calibration of this version ({error}); make it again.") from error


def with_calibration(config: AuditConfig, source: EmbeddingSource) -> tuple[AuditConfig, dict[str, Any]]:
    """The configuration with the threshold that the calibration gives, and what a resumed run must agree with.

    Raises UnusableInputError when there is no calibration, or when it is of other embeddings.
    """
    if config.calibration is None:
        return config, {}
    given = Path(config.calibration)
    found = read_calibration(given)
    name = "decides" if source.own is not None else "proposes"
    kind = found.decides if source.own is not None else found.proposes
    _refuse_other_embeddings(found, config, source)
    record = {
        "kind": name,
        "threshold": kind.threshold,
        "rate": kind.rate,
        "distinct": found.distinct,
        "width": found.width,
        "file_sha256": hashlib.sha256(calibration_file(given).read_bytes()).hexdigest(),
    }
    return replace(config, threshold=kind.threshold, calibration=None), {"calibration": record}


def _refuse_other_embeddings(found: CalibrationRecord, config: AuditConfig, source: EmbeddingSource) -> None:
    here = {"model": config.model} | source.header(config)
    there = {"model": found.model, "pretrained": found.pretrained, "model_checksum": found.model_checksum}
    if all(here[name] == there[name] for name in there):
        return
    known, now = _name(there), _name(here)
    if here["model"] == OWN_MODEL and found.model != OWN_MODEL:
        raise UnusableInputError(
            f"The calibration is of embeddings of {known}, and of the embeddings of this data set the model is not "
            f"known; if it is that one, give --threshold {found.decides.threshold:.4f} instead."
        )
    differing = f"{known} and not of {now}" if known != now else f"other weights or arrays of {known}"
    raise UnusableInputError(
        f"The calibration is of embeddings of {differing}, and a cosine means another thing there; "
        "calibrate on a run of the same model."
    )


def _name(header: dict[str, Any]) -> str:
    return str(header["model"]) if header["pretrained"] is None else f"{header['model']}/{header['pretrained']}"


def refuse_other_whitening(run: Run) -> None:
    """Raises UnusableInputError when the run's pictures, now that they are read, are whitened to other dimensions than
    those of the calibration that it was begun with."""
    record = run.config.get("calibration")
    if not isinstance(record, dict) or record["kind"] != "proposes":
        return
    rows, added = SAMPLES.scan(run.path), begins(run)
    if added:
        rows = rows.sort("sample_id").head(added[0])
    distinct = rows.select(pl.col("pixel_sha256").n_unique()).collect().item()
    there, here = (
        whitened_dims(count, record["width"], DuplicatesConfig()) for count in (record["distinct"], distinct)
    )
    if there != here:
        raise UnusableInputError(
            f"The calibration is of {_vectors(there)} ({record['distinct']:,} distinct pictures), and this data set is "
            f"compared by {_vectors(here)} ({distinct:,}), where a cosine means another thing; audit it into another "
            "directory without --calibration."
        )


def _vectors(dims: int | None) -> str:
    return "embeddings as they are" if dims is None else f"vectors whitened to {dims} dimensions"
