"""Truth tables: what stands in which row of a training set, as the lab, the canaries and the demo write them.

Needed are `key` and `copies` (the demo calls them `group_copies`); `shard`, `caption`, `planted`, `picture`, `twin_of`
and `template` count where they are there. Without `planted` a picture of one copy or more is planted; without `picture`
the run's own duplicate groups say which rows show one picture.

    >>> read_truth(Path("planted/truth.parquet")).columns                    # doctest: +SKIP
    ['shard', 'key', 'copies', 'caption', 'planted', 'picture', 'twin_of', 'template', 'caption_id']
"""

from pathlib import Path

import polars as pl

from scanner.duplicates.captions import normalise_captions, prompt_ids
from scanner.errors import UnusableInputError

_TYPES = {
    "shard": pl.String, "key": pl.String, "copies": pl.Int64, "caption": pl.String, "planted": pl.Boolean,
    "picture": pl.String, "twin_of": pl.String, "template": pl.Int64,
}  # fmt: skip
_NEEDED = ("key", "copies")


def read_truth(path: Path) -> pl.DataFrame:
    """The table with all columns, null where it has none; `caption_id` is the prompt_id of the caption.

    Raises UnusableInputError, in one sentence, for a file that is none.
    """
    frame = _read(path)
    if "copies" not in frame.columns and "group_copies" in frame.columns:
        frame = frame.rename({"group_copies": "copies"})
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise UnusableInputError(
            f"{path} is no truth table: it has no column {' and no '.join(missing)} (found {' '.join(frame.columns)})."
        )
    try:
        frame = frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in _TYPES.items()
        )
    except pl.exceptions.PolarsError as error:
        raise UnusableInputError(f"{path} can't be read as a truth table ({_first_line(error)}).") from error
    if frame.is_empty() or frame.select(pl.any_horizontal(pl.col(_NEEDED).is_null().any())).item():
        raise UnusableInputError(f"{path} has rows without key or copies, or no rows; give a whole truth table.")
    return with_caption_ids(frame.with_columns(pl.col("planted").fill_null(pl.col("copies") >= 1)))


def with_caption_ids(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with `caption_id`; null where there is no caption."""
    captions = frame.select(pl.col("caption").unique()).drop_nulls()
    normal = captions.with_columns(normal=normalise_captions(captions["caption"])).drop_nulls()
    known = normal.select("caption", caption_id=prompt_ids(normal["normal"]))
    return frame.join(known, on="caption", how="left", maintain_order="left")


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise UnusableInputError(f"{path} is no file; name the truth table, .parquet or .csv.")
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, schema_overrides={"shard": pl.String, "key": pl.String, "picture": pl.String})
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnusableInputError(f"{path} can't be read as a table ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
