"""The part of an audit that looks for the pictures of another run in this one.

scanner audit TRAIN --out runs/train --against runs/test

RUN/against.json        the other run, written first: a resumed run must agree with it
RUN/matches_pairs/      the pairs looked at, part by part: a part that is there is restored
RUN/matches.parquet     which rows show which picture of the other run
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.changes import begins
from pipelines.comparison import PART
from pipelines.configs import AuditConfig
from pipelines.embedding import EmbeddingSource
from pipelines.engines import LocalEngine
from pipelines.grouping import duplicates_config
from scanner.duplicates import MatchSearch, OneSet
from scanner.errors import UnusableInputError
from scanner.fingerprints import stored_embeddings
from scanner.run import Run
from scanner.tables import FILES, GROUPS, MATCH_PAIRS, MATCHES, MEMBERS, SAMPLES

_SEARCHED = ("sample_id", "pixel_sha256", "phash", "thumbnail")


def open_other(path: str, config: AuditConfig, source: EmbeddingSource) -> Run:
    """The run to compare with. Raises UnusableInputError when it is not finished, or of other embeddings."""
    other = Run.open(Path(path))
    if "audit" not in other.manifest().get("parts", {}):
        raise UnusableInputError(f"The audit of {path} is not finished; give it again, and compare when it is done.")
    here = {"model": config.model} | source.header(config)
    if here["model_checksum"] != other.config["model_checksum"]:
        names = [_model(side) for side in (other.config, here)]
        what = f"{names[0]} and not of {names[1]}" if names[0] != names[1] else f"other weights or arrays of {names[0]}"
        raise UnusableInputError(
            f"{path} has embeddings of {what} (model_checksum differs), so that the two can't be compared; audit one "
            "of them with the other's --model and --pretrained."
        )
    return other


def _model(header: Any) -> str:
    return "/".join(str(header[name]) for name in ("model", "pretrained") if header.get(name) is not None)


def claim_other(run: Run, other: Run) -> None:
    """Write down what the run is compared with. Raises UnusableInputError when that was another run, or this one as it
    was before it changed."""
    now = {
        "run": str(other.path.absolute()),
        "dataset": other.config["dataset"],
        "rows": SAMPLES.scan(other.path).select(pl.len()).collect().item(),
        "files_sha256": hashlib.sha256(repr(other.read(FILES).rows()).encode()).hexdigest(),
    }
    before = run.part_config(PART)
    if before is not None and before != now:
        which = "another run" if before["run"] != now["run"] else "that run before it changed"
        raise UnusableInputError(
            f"{run.path} was compared with {which} ({before['run']}, {before['rows']:,} rows then), not with "
            f"{other.path} ({now['rows']:,} rows of {now['dataset']}); to compare with that, delete {PART}.json, "
            "matches.parquet and matches_pairs in the run."
        )
    run.claim_part(PART, now)


def find_matches(run: Run, other: Run, config: AuditConfig, engine: LocalEngine, *, cosine: float) -> dict[str, Any]:
    """Write the matches table; returns what the manifest says of it. `cosine` is the run's own threshold."""
    settings = replace(duplicates_config(config), close_looks=0)  # the thumbnails decide alone
    search = MatchSearch(_set(run), _set(other), settings, cosine=cosine, fitted_rows=next(iter(begins(run)), None))
    engine.progress.begin("matches", len(search.parts))
    for part in search.parts:
        if MATCH_PAIRS.exists(run.path, part):
            search.restore(part, MATCH_PAIRS.read(run.path, part))
        else:
            MATCH_PAIRS.write(run.path, search.search(part), part)
        engine.progress.advance()
    engine.progress.end()
    found = _named(search.matches(), other)
    MATCHES.write(run.path, found)
    return (run.part_config(PART) or {}) | {
        "rows_that_match": found.height,
        "other_pictures": found["other_sample_id"].n_unique(),
    }


def _set(run: Run) -> OneSet:
    samples = SAMPLES.scan(run.path).select(_SEARCHED).collect().sort("sample_id")
    return OneSet(samples=samples, embeddings=stored_embeddings(run.path)[1])


def _named(matches: pl.DataFrame, other: Run) -> pl.DataFrame:
    """The matches with what the other data set says of its rows."""
    wanted = matches.select("other_sample_id").unique().lazy()
    named = SAMPLES.scan(other.path).select(
        other_sample_id="sample_id", other_shard="shard", other_key="key", other_url="url", other_caption="caption"
    )
    copies = (
        MEMBERS.scan(other.path)
        .join(GROUPS.scan(other.path).select("group_id", "copies"), on="group_id")
        .select(other_sample_id="sample_id", other_copies="copies")
    )
    rows = named.join(wanted, on="other_sample_id", how="semi").join(copies, on="other_sample_id", how="left")
    known = rows.with_columns(pl.col("other_copies").fill_null(1)).collect()
    return MATCHES.conform(matches.join(known, on="other_sample_id", how="left"))
