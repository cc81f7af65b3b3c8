"""What there is to review in a run: hits, what was looked at and not verified, and duplicate groups.

Hand labelling is there for both sides of a rule. Carlini et al. 2023 (https://arxiv.org/abs/2301.13188, section 4.2)
found 94 images by distance and 109 by eye, so that prompts whose full-step images were compared and not verified stand
here as well.

    >>> list_items(Run.open(Path("RUN"))).group_by("kind").len()                 # doctest: +SKIP
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import polars as pl

from scanner.fingerprints import pixel_sha256
from scanner.opened import OpenedRun
from scanner.review._keys import group_key, pair_key
from scanner.review._made import MadeImages
from scanner.run import Run
from scanner.samples import Undecodable, decode
from scanner.tables import VERIFIED

HIT, UNVERIFIED, MEMORISED, GROUP = "hit", "unverified", "memorised", "group"
KINDS = (HIT, UNVERIFIED, MEMORISED, GROUP)
"""hit: verified by rule; unverified: compared at full steps and not verified; memorised: what a model that takes no
prompt gave back; group: of duplicates."""

SCHEMA = {
    "item": pl.String,
    "kind": pl.String,
    "verdict": pl.String,
    "arm": pl.String,
    "prompt_id": pl.String,
    "sample_id": pl.Int64,
    "image_index": pl.Int64,
    "group_id": pl.Int64,
    "caption": pl.String,
}
"""Columns of the items: `item` is the content's key; `sample_id` the original of a pair or the medoid of a group;
`image_index` the generation that stands for a pair, null where none is stored."""


def list_items(run: Run, made: MadeImages | None = None) -> pl.DataFrame:
    """One row an item, hits first (risk arm before controls, by rank), then groups, those of most copies first.

    Reads the pixels of one generation a pair, since its key is made of them.
    """
    opened, made = OpenedRun(run), made or MadeImages(run)
    return pl.concat([_prompted(opened, made), _unprompted(opened, made), _groups(opened)])


def _prompted(run: OpenedRun, made: MadeImages) -> pl.DataFrame:
    verified = pl.col("verdict").is_in(VERIFIED)
    hits = run.hits.filter(verified | (pl.col("evidence") > 0)).select("prompt_id", "verdict", "sample_id", "seed")
    prompts = run.prompts.select("prompt_id", "arm", "rank", "caption")
    # a prompt that stands in both arms would be one attack: the risk arm's row names it
    prompts = prompts.sort(pl.col("arm") != "risk", "rank").unique("prompt_id", keep="first", maintain_order=True)
    rows = hits.join(prompts, on="prompt_id", how="left").join(_best_images(made, hits), on="prompt_id", how="left")
    rows = rows.with_columns(
        kind=pl.when(verified).then(pl.lit(HIT)).otherwise(pl.lit(UNVERIFIED)),
        sample_id=pl.coalesce("sample_id", "nearest"),
    )
    rows = rows.filter(verified | pl.col("image_index").is_not_null())
    frame = rows.collect().sort(~verified, pl.col("arm") != "risk", "rank", "prompt_id", nulls_last=True)
    return _with_keys(run, frame, made)


def _best_images(made: MadeImages, hits: pl.LazyFrame) -> pl.LazyFrame:
    """Per prompt the full-step image that the hit's distances are of, or without one the nearest usable one."""
    named = made.usable.lazy().rename({"sample_id": "nearest"})
    best = hits.select("prompt_id", best_seed="seed")
    both = named.join(best, on="prompt_id").with_columns(other=(pl.col("seed") != pl.col("best_seed")).fill_null(True))
    ordered = both.sort("prompt_id", "other", "distance", "image_index", nulls_last=True)
    return ordered.unique("prompt_id", keep="first", maintain_order=True).select("prompt_id", "image_index", "nearest")


def _unprompted(run: OpenedRun, made: MadeImages) -> pl.DataFrame:
    names = ("memorised", "generations", "adaptive_l2")
    frame = run.memorised.collect().sort(names, descending=[True, True, False])
    frame = frame.with_columns(
        kind=pl.lit(MEMORISED),
        verdict=pl.when("memorised").then(pl.lit("memorised")).otherwise(pl.lit("below 1")),
    )
    return _with_keys(run, frame.with_columns(prompt_id=pl.lit(None, dtype=pl.String)), made)


def _with_keys(run: OpenedRun, frame: pl.DataFrame, made: MadeImages) -> pl.DataFrame:
    """The pairs with their keys: the pixels of the generation that stands for it, and its original's."""

    def hash_of(image: tuple[str | None, int | None]) -> str:
        found = None if image[1] is None else _picture_hash(made.png(image[0], image[1]))
        return found or f"not stored {image[1] if image[0] is None else image[0]}"

    with ThreadPoolExecutor(cpu_count()) as threads:
        generations = list(threads.map(hash_of, frame.select("prompt_id", "image_index").iter_rows()))
    rows = frame.join(_originals(run, frame["sample_id"]), on="sample_id", how="left", maintain_order="left")
    originals = rows["picture"].fill_null("none")
    return _complete(rows, [pair_key(*pair) for pair in zip(generations, originals, strict=True)])


def _picture_hash(png: bytes | None) -> str | None:
    """By pixels; by bytes where they can't be decoded; None where there are none."""
    if png is None:
        return None
    try:
        return pixel_sha256(decode(png))
    except Undecodable:
        return hashlib.sha256(png).hexdigest()


def _originals(run: OpenedRun, sample_ids: pl.Series) -> pl.DataFrame:
    wanted = sample_ids.drop_nulls().unique().to_frame("sample_id").lazy()
    return run.samples.join(wanted, on="sample_id", how="semi").select("sample_id", _picture()).collect()


def _picture() -> pl.Expr:
    """What a row shows: the hash of its pixels, or its name in the data set where none was decoded."""
    return pl.coalesce("pixel_sha256", pl.concat_str("shard", pl.lit("/"), "key")).alias("picture")


def _groups(run: OpenedRun) -> pl.DataFrame:
    members = run.members.select("sample_id", "group_id")
    pictures = members.join(run.samples.select("sample_id", _picture()), on="sample_id").group_by("group_id")
    different = pictures.agg(pl.col("picture").unique())
    frame = (
        run.groups.join(different, on="group_id", how="left")
        .collect()
        .sort("copies", "group_id", descending=[True, False])
    )
    rows = frame.with_columns(kind=pl.lit(GROUP), sample_id="medoid", caption="top_caption")
    return _complete(rows, [group_key(shown or ()) for shown in _lists(frame["picture"])])


def _lists(column: pl.Series) -> Iterator[Iterable[str] | None]:
    for value in column:
        yield None if value is None else value.to_list()


def _complete(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    rows = rows.with_columns(item=pl.Series(keys, dtype=pl.String))
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in SCHEMA.items() if name not in rows.columns]
    return rows.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
