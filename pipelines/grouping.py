"""The part of an audit that finds duplicate groups: pairs by thumbnail, then close looks, then groups and their recall.

A part of the pairs table that is there is restored, not searched again, and the result is the same.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import polars as pl

from pipelines.changes import begins
from pipelines.configs import AuditConfig
from pipelines.copies import look_by_copy_model
from pipelines.engines import LocalEngine
from pipelines.features import StoredFeatures, make_features
from pipelines.templates import find_families
from scanner.duplicates import Addition, DuplicatesConfig, DuplicateSearch, prefix_of
from scanner.duplicates.geometry import Features
from scanner.fingerprints import CopyModel, stored_embeddings
from scanner.run import Run
from scanner.tables import GROUPS, MEMBERS, PAIRS, SAMPLES

_CLOSE_PART = 512
"""Pairs that are looked at closely, and written, at a time."""


def duplicates_config(config: AuditConfig) -> DuplicatesConfig:
    """The settings of a run's search."""
    return DuplicatesConfig(
        threshold=config.threshold,
        close_looks=config.close_looks,
        copy_cosine=config.copy_threshold,
        seed=config.seed,
    )


def find_groups(
    run: Run, config: AuditConfig, engine: LocalEngine, copy_model: CopyModel | None = None
) -> dict[str, Any]:
    """Write the pairs, members and groups tables; returns what the search says of itself."""
    _, embeddings = stored_embeddings(run.path)
    search = DuplicateSearch(
        run.read(SAMPLES),
        embeddings,
        duplicates_config(config),
        begins=begins(run),
        stored=lambda part: PAIRS.exists(run.path, part),
    )
    features, cosines = None, None
    for addition in search.additions:
        _search(run, search, addition, engine)
        if search.has_pictures and config.close_looks:
            features = _look_closely(run, search, addition, config.close_looks, engine)
        if search.has_pictures and copy_model:
            cosines = look_by_copy_model(run, search, addition, copy_model, engine)
    found = search.groups(features, cosines)
    MEMBERS.write(run.path, found.members)
    GROUPS.write(run.path, found.groups)
    if features is not None:
        find_families(run)
    return asdict(search.summary()) | {"recall": asdict(search.recall())}


def _search(run: Run, search: DuplicateSearch, addition: Addition, engine: LocalEngine) -> None:
    """The pairs of the first rows, or of shards that were added."""
    engine.progress.begin("duplicate pairs", len(addition.parts))
    for part in addition.parts:
        if PAIRS.exists(run.path, part):
            search.restore(part, PAIRS.read(run.path, part))
        else:
            PAIRS.write(run.path, search.search(part), part)
        engine.progress.advance()
    engine.progress.end()


def _look_closely(
    run: Run, search: DuplicateSearch, addition: Addition, looks: int, engine: LocalEngine
) -> "_ByPosition":
    """Settle by geometry what the thumbnails left open."""
    pairs = search.unsettled((PAIRS.read(run.path, part) for part in addition.parts), looks)
    prefix = prefix_of(addition.number)
    make_features(run, pl.concat([pairs["left"], pairs["right"]]).unique(), engine, addition.number)
    features = _ByPosition(StoredFeatures(run), search)
    parts = {f"{prefix}geometry-{number:05d}": rows for number, rows in enumerate(_cut(pairs))}
    engine.progress.begin("close looks", len(parts))
    for part, rows in parts.items():
        if PAIRS.exists(run.path, part):
            search.restore_closely(PAIRS.read(run.path, part))
        else:
            PAIRS.write(run.path, search.look_closely(rows, features), part)
        engine.progress.advance()
    engine.progress.end()
    return features


class _ByPosition:
    """Features of the distinct pictures, by their position in the search."""

    def __init__(self, stored: StoredFeatures, search: DuplicateSearch) -> None:
        self._stored, self._ids = stored, search.ids

    def __call__(self, position: int) -> Features | None:
        return self._stored(int(self._ids[position]))


def _cut(pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The most similar first: they may settle the others."""
    ordered = pairs.sort("similarity", "left", "right", descending=[True, False, False])
    return (ordered[start : start + _CLOSE_PART] for start in range(0, len(ordered), _CLOSE_PART))
