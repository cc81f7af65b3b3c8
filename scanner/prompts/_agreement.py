"""Does a caption say what its picture shows? The cosine of the two, read against the data set's own pairs.

A caption that fits its picture gives a model more to tie the picture to than one that says nothing of it. CLIP's cosine
of caption and picture measures that (CLIPScore, Hessel et al. 2021, https://arxiv.org/abs/2104.08718), on a scale of
its own for every model: 0.2 to 0.3 in CLIP, about 0.1 in SigLIP. So it is scaled by the set itself:

    agreement = share of reference pairs whose cosine is lower, those that are equal counting half

over a random draw of the set's captioned rows that are in no duplicate group. 0.5 is an ordinary pair of this data set;
1 fits better than all that were drawn. CLIPScore rescales by a fixed factor of 2.5 instead, which suits one model.

>>> share_below(np.array([0.1, 0.2, 0.9]), np.array([0.2, 0.3])).tolist()
[0.0, 0.25, 1.0]
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates.captions import normalise_captions
from scanner.embeddings import pick_embeddings
from scanner.fingerprints import TextEmbedder

MOST_REFERENCES = 1_000
"""Reference pairs that are drawn; the standard error of a share is then at most 0.016."""
FEWEST_REFERENCES = 20
"""Reference pairs without which nothing is scaled: the steps of the share are then 0.05."""
_BLOCK = 1_024
"""Captions that are embedded before their cosines are taken: bounds the memory."""
_DIGITS = 6
"""Decimals of a cosine: beyond what float16 embeddings tell, so that equals tie on every machine."""

Track = Callable[[Iterator[pl.DataFrame], int], Iterator[pl.DataFrame]]
"""Gives blocks of work on as they are, and is told how many they are: shows progress."""


def share_below(values: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each value (n,) the share of the reference (m,), ascending, that is lower; equal ones count half."""
    lower, upper = (np.searchsorted(reference, values, side) for side in ("left", "right"))
    return np.asarray((lower + upper) / (2 * len(reference)), np.float64)


def draw_references(samples: pl.LazyFrame, members: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Pairs of `caption` and `sample_id` of up to MOST_REFERENCES rows in no group whose caption says something.

    `samples` has those two columns; `members` is the table of that name. Drawn at random from the seed, sorted by
    sample_id; the order of the rows given does not matter.
    """
    captioned = samples.select("caption", "sample_id").filter(pl.col("caption").is_not_null())
    alone = captioned.select("sample_id").join(members.lazy().select("sample_id"), on="sample_id", how="anti")
    ids = np.sort(alone.collect(engine="streaming")["sample_id"].to_numpy())
    order, drawn = np.random.default_rng(seed).permutation(ids), captioned.head(0).collect()
    for start in range(0, len(order), MOST_REFERENCES):  # nearly always once: most captions say something
        wanted = pl.LazyFrame({"sample_id": order[start : start + MOST_REFERENCES]}).with_row_index("turn")
        rows = captioned.join(wanted, on="sample_id", how="inner").collect(engine="streaming").sort("turn")
        said = rows.filter(normalise_captions(rows["caption"]).is_not_null()).select("caption", "sample_id")
        drawn = pl.concat([drawn, said.head(MOST_REFERENCES - len(drawn))])
        if len(drawn) == MOST_REFERENCES:
            break
    return drawn.sort("sample_id")


def _by_caption(pairs: pl.DataFrame) -> pl.DataFrame:
    """Each caption once, with the rows of `pairs` that have it: `caption, row, sample_id`, the last two as lists."""
    known = pairs.select("caption", "sample_id").with_row_index("row").drop_nulls()
    return known.group_by("caption", maintain_order=True).agg("row", "sample_id")


def measure_pairs(
    run: Path, text: TextEmbedder, pairs: pl.DataFrame, track: Track = lambda blocks, _: blocks
) -> pl.DataFrame:
    """Columns `cosine` (Float64, −1 to 1; null where the caption or the row's embedding is missing) and `cut`
    (Boolean: the caption is longer than the context window; null with the cosine), row by row of `pairs`.

    `pairs` has `caption` (String) and `sample_id` (Int64), of the run in the directory `run`, whose embeddings `text`'s
    own model made. A caption is embedded once, however many rows have it. Raises ScannerError when the model gives an
    embedding that is none.
    """
    cosines, cut = np.full(len(pairs), np.nan), np.zeros(len(pairs), np.bool_)
    captions = _by_caption(pairs)
    blocks = captions.iter_slices(_BLOCK)
    for block in track(blocks, -(-len(captions) // _BLOCK)):
        embedded = text(block["caption"].to_list())
        flat = block.drop("caption").with_row_index("of").explode("row", "sample_id")
        found, stored = pick_embeddings(run, flat["sample_id"].to_numpy())
        row, of = flat["row"].to_numpy()[found], flat["of"].to_numpy()[found]
        cosines[row], cut[row] = _cosines(embedded.rows[of], stored), embedded.cut[of]
    cosine = pl.Series("cosine", cosines).fill_nan(None)
    return pl.DataFrame({"cosine": cosine, "cut": pl.Series(cut)}).with_columns(
        cut=pl.when(pl.col("cosine").is_not_null()).then("cut")
    )


def _cosines(captions: NDArray[np.float32], pictures: NDArray[np.float16]) -> NDArray[np.float64]:
    """Row by row; NaN where a picture's embedding is zero. Stored rows are of unit length only to float16."""
    wide = pictures.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    dots = (captions * wide).sum(axis=1)
    cosines = np.divide(dots, lengths, out=np.full(len(dots), np.nan), where=lengths > 0)
    return np.asarray(np.round(np.clip(cosines, -1, 1), _DIGITS), np.float64)


class Agreement:
    """Agreement of captions and pictures of one run: a loaded text tower and the reference that scales its cosines."""

    def __init__(
        self,
        run: Path,
        text: TextEmbedder,
        reference: NDArray[np.float64],
        track: Track = lambda blocks, _: blocks,
    ) -> None:
        """`reference`: cosines of the reference pairs, at least FEWEST_REFERENCES, in any order."""
        assert len(reference) >= FEWEST_REFERENCES, "too few pairs to scale by"
        self._run, self._text, self._track = run, text, track
        self._reference = np.sort(reference)

    def __call__(self, pairs: pl.DataFrame) -> pl.Series:
        """For a frame with `caption` (String) and `sample_id` (Int64): Float64 of the same height, 0 to 1; null where
        the caption or the row's embedding is missing."""
        return self.measure(pairs)["agreement"]

    def measure(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`cosine` and `cut` as `measure_pairs` gives them, and `agreement`, the cosine scaled to 0 to 1."""
        measured = measure_pairs(self._run, self._text, pairs, self._track)
        known = measured["cosine"].is_not_null()
        share = share_below(measured["cosine"].to_numpy(), self._reference)
        scaled = pl.Series("agreement", share, dtype=pl.Float64)
        return measured.with_columns(agreement=pl.when(known).then(scaled))
