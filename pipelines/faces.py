"""Looking for faces (`--faces`): in the medoid of each duplicate group, and in what came back and is in no group.

What is found goes beside the other signals, in parts of its own (`signals/faces-00007-0.parquet`); a picture that was
looked at is not looked at again, whatever the groups are by then.

look_for_faces(run, engine)
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import polars as pl

from pipelines.engines import Job, LocalEngine, require
from pipelines.features import places_by_shard
from scanner.images import images_of
from scanner.run import Run
from scanner.samples import StoredImages, Undecodable, decode
from scanner.signals import FACES_SOURCE, FaceDetector, Signal, faces_signal
from scanner.tables import GROUPS, HITS, MEMBERS, SIGNALS, VERIFIED


def wants_faces(run: Run, *, asked: bool) -> bool:
    """Whether faces are looked for: asked now, or by an earlier command of this run."""
    return asked or any(part.name.startswith("faces-") for part in SIGNALS.parts(run.path))


def look_for_faces(run: Run, engine: LocalEngine) -> int:
    """Look at every picture that was not yet; gives the number of pictures that have been looked at by now.

    Raises UnusableInputError where OpenCV ships no cascades.
    """
    looked = SIGNALS.scan(run.path).filter(pl.col("source") == FACES_SOURCE).select("sample_id").unique().collect()
    wanted = _wanted(run).join(looked.lazy(), on="sample_id", how="anti").collect()["sample_id"]
    places = places_by_shard(run, wanted)
    parts = {_new_part(run, shard): rows for shard, rows in places.items()}
    job = Job(
        name="faces",
        shards=list(parts),
        make=lambda: _Looker(images_of(run), parts),
        done=lambda part: SIGNALS.exists(run.path, part),
        write=lambda part, rows: SIGNALS.write(run.path, rows, part),
    )
    require(engine.run(job))
    return looked.height + sum(len(rows) for rows in parts.values())


def _wanted(run: Run) -> pl.LazyFrame:
    """One picture of each group, and what came back of those that are in none."""
    medoids = GROUPS.scan(run.path).select(sample_id="medoid")
    hits = HITS.scan(run.path).filter(pl.col("verdict").is_in(VERIFIED)).select("sample_id")
    alone = hits.join(MEMBERS.scan(run.path).select("sample_id"), on="sample_id", how="anti")
    return pl.concat([medoids, alone]).drop_nulls().unique()


def _new_part(run: Run, shard: str) -> str:
    there = sum(part.name.startswith(f"faces-{shard}-") for part in SIGNALS.parts(run.path))
    return f"faces-{shard}-{there}"


class _Looker:
    """Looks at the pictures of one part."""

    def __init__(self, images: StoredImages, places: Mapping[str, pl.DataFrame]) -> None:
        self._images, self._places, self._detector = images, places, FaceDetector()

    def __call__(self, part: str) -> pl.DataFrame:
        rows = self._places[part].select("sample_id", "file", "offset", "length").iter_rows()
        return SIGNALS.frame(self._row(sample, *place) for sample, *place in rows)

    def _row(self, sample: int, *place: Any) -> dict[str, Any]:
        try:
            signal = faces_signal(self._detector(decode(self._images(*place))))
        except Undecodable as error:
            signal = Signal(kind="fault", source=FACES_SOURCE, value=error.message[:300])
        return {"sample_id": sample, **asdict(signal)}
