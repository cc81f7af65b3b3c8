"""The audit recipe: data set → fingerprints → duplicate groups → ranked prompts with a control arm.

    scanner audit DATASET --out RUN

A step's tables are its completion marker: a resumed audit skips the shards, the blocks and the steps whose files are
there, and what it makes anew is equal, since nothing depends on when or where it was made.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.against import claim_other, find_matches, open_other
from pipelines.agreement import open_agreement
from pipelines.calibration import refuse_other_whitening, with_calibration
from pipelines.changes import clear_from, pin_files
from pipelines.comparison import PART
from pipelines.configs import AuditConfig, AuditExtras, DownloadConfig
from pipelines.copies import open_copy_model, with_copy_model
from pipelines.download import download, download_settings
from pipelines.embedding import EmbeddingSource, open_source
from pipelines.engines import Job, LocalEngine, Outcome
from pipelines.faces import look_for_faces, wants_faces
from pipelines.grouping import find_groups
from pipelines.opening import open_input, options_of, refuse_inside
from pipelines.ranking import rank
from pipelines.repair import as_summary, remember_policy, repair
from scanner.duplicates import count_captions
from scanner.errors import ScannerError
from scanner.fingerprints import (
    Fingerprinter,
    SeenPictures,
    ShardRows,
    part_name,
    write_shard,
)
from scanner.prompts import CURVE_FILE, RISK_FORMULA, read_curve
from scanner.run import Run, write_json
from scanner.samples import Dataset, Numbered, Shard, UrlList
from scanner.signals import FaceDetector
from scanner.tables import CAPTIONS, ERROR_PARTS, ERRORS, GROUPS, MATCHES, MEMBERS, SAMPLES, SHARDS


def audit(  # noqa: PLR0913 - what, where, how, and what else
    dataset: str | Path,
    out: Path,
    config: AuditConfig,
    engine: LocalEngine,
    downloading: DownloadConfig = DownloadConfig(),  # noqa: B008 - frozen
    *,
    extras: AuditExtras = AuditExtras(),  # noqa: B008 - frozen
) -> Run:
    """Audit `dataset` into the run directory `out`, or go on with the audit that was stopped there.

    The images of a list of URLs are downloaded into `out` first. Shards that the data set has gained since are added
    where `extras` says so.

    Raises UnusableInputError before anything is written when there is no data set, the model can't be loaded, or
    `out` holds something else or a run under another configuration.
    """
    options = options_of(config)
    found = open_input(dataset, options)
    refuse_inside(out, dataset, found)
    if extras.faces:
        FaceDetector()  # refused before anything is written where there is none
    source = open_source(found, config)
    copy_model = open_copy_model(config, pictures=source.own is None)
    config, calibration = with_calibration(config, source)
    curve = None if extras.curve is None else read_curve(Path(extras.curve))
    other = None if extras.against is None else open_other(extras.against, config, source)
    checked = None if isinstance(found, UrlList) else source.attach(found)
    run = Run.claim(out, with_copy_model(_header(found, source, config, downloading) | calibration, copy_model))
    if other is not None:
        claim_other(run, other)
    numbers = pin_files(run, found, add_shards=extras.add_shards)
    if curve is not None:
        write_json(run.path / CURVE_FILE, asdict(curve))
    keep = remember_policy(run, extras.keep)
    if isinstance(found, UrlList):
        checked = source.attach(download(run, found, options, downloading, engine.progress))
    assert checked is not None, "a list of URLs is checked once its images are there"
    data, given = checked
    if not isinstance(found, UrlList):
        data = Numbered(dataset=data, numbers=numbers)
    _fingerprint(run, data, source, config, engine)
    refuse_other_whitening(run)
    summary = find_groups(run, config, engine, copy_model)
    _count_captions(run)
    agreement, said = open_agreement(run, source.embedder, engine.progress)
    summary |= {"coverage": rank(run, config, agreement), "agreement": asdict(said), "risk_formula": RISK_FORMULA}
    repaired = as_summary(repair(run, keep))
    if wants_faces(run, asked=extras.faces):
        summary["faces_looked_for_in"] = look_for_faces(run, engine)
    known, compared = run.part_config(PART), PART in run.manifest().get("parts", {})
    if other is None and known is not None and not (compared and MATCHES.exists(run.path)):
        other = open_other(known["run"], config, source)  # begun in an earlier try, or with fewer rows
        claim_other(run, other)
    if other is not None:
        run.finish(PART, find_matches(run, other, config, engine, cosine=summary["cosine"]))
    run.finish("audit", {"rows_in": int(run.read(SHARDS)["rows_in"].sum())} | given | summary | repaired)
    return run


def _header(
    dataset: Dataset | UrlList, source: EmbeddingSource, config: AuditConfig, downloading: DownloadConfig
) -> dict[str, Any]:
    """What a resumed run must agree with."""
    where, header = dataset.root, asdict(config)
    if isinstance(dataset, UrlList):
        where, header = dataset.name, header | {"download": download_settings(downloading)}
    return header | {"dataset": str(where.absolute()), "layout": dataset.layout} | source.header(config)


def _fingerprint(run: Run, dataset: Dataset, source: EmbeddingSource, config: AuditConfig, engine: LocalEngine) -> None:
    """Samples and embeddings of every shard, and the ledger of all rows that are not among them."""

    def make() -> Callable[[Shard], Iterator[ShardRows]]:
        seen = SeenPictures(run.path)
        stage = Fingerprinter(
            source.embedder,
            seen,
            width=source.width,
            carry=config.carry,
            progress=lambda tally: engine.progress.tally(**asdict(tally)),
        )
        return lambda shard: stage(dataset, shard)

    job = Job(
        name="fingerprints",
        shards=dataset.shards,
        make=make,
        done=lambda shard: SAMPLES.exists(run.path, part_name(shard)),
        write=lambda shard, blocks: write_shard(run.path, shard, blocks),
    )
    unread = [shard.index for shard in job.shards if not job.done(shard)]
    if unread:  # pairs of fewer rows are there when a shard failed in an earlier try
        clear_from(run, [] if dataset.layout == "urls" else unread)
    outcomes = engine.run(job)
    _write_ledger(run, outcomes)
    if all(outcome.state == "failed" for outcome in outcomes):
        raise ScannerError(f"No shard could be read, the first for {outcomes[0].reason}: {outcomes[0].message}.")


def _write_ledger(run: Run, outcomes: list[Outcome[Shard]]) -> None:
    lost = [
        {"shard": o.shard.name, "key": "", "stage": "read", "reason": o.reason, "message": o.message}
        for o in outcomes
        if o.state == "failed"
    ]
    ERRORS.write(run.path, pl.concat([run.read(ERROR_PARTS), ERRORS.frame(lost)]))


def _count_captions(run: Run) -> None:
    """The captions table, and the groups again with what depends on near-duplicate captions."""
    samples = SAMPLES.scan(run.path).select("sample_id", "caption").collect()
    counted = count_captions(samples, run.read(MEMBERS), run.read(GROUPS))
    CAPTIONS.write(run.path, counted.captions)
    GROUPS.write(run.path, counted.groups)
