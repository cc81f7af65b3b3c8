"""Calibrations of planted embeddings, whose distribution of cosines is known."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import beta

from scanner.duplicates import (
    Calibration,
    CalibrationSettings,
    DuplicatesConfig,
    Labels,
    Scanned,
    calibrate,
    calibration_table,
    whiten,
    whitened_dims,
)
from scanner.duplicates._random_pairs import block_count, blocks
from scanner.errors import UnusableInputError
from scanner.tables import CALIBRATION

WIDTH = 16
LOOSE = CalibrationSettings(rate=1e-3, propose_rate=1e-2)


def directions(rows: int, seed: int = 0, width: int = WIDTH) -> np.ndarray:
    """(rows, width) independent uniform directions: (1 + cosine) / 2 is beta((width − 1) / 2, same)."""
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def table(rows: int, *, pictures: bool = True, hashes: np.ndarray | None = None) -> pl.DataFrame:
    drawn = np.random.default_rng(9).integers(0, 2**63, rows, dtype=np.uint64) if hashes is None else hashes
    return pl.DataFrame(
        {
            "sample_id": pl.Series(range(10, 10 * rows + 10, 10), dtype=pl.Int64),
            "pixel_sha256": pl.Series([f"{row:064x}" if pictures else None for row in range(rows)], dtype=pl.String),
            "phash": pl.Series(drawn if pictures else [None] * rows, dtype=pl.UInt64),
        }
    )


def with_group(rows: int, copies: int, *, pictures: bool = True) -> Scanned:
    """Directions of which the first `copies` are near one another, and the group, medoid and pairs that say so."""
    vectors = directions(rows)
    vectors[:copies] = vectors[0] + 0.02 * directions(copies, seed=5)
    ids = [10 * (row + 1) for row in range(copies)]
    members = pl.DataFrame({"sample_id": ids, "group_id": [10] * copies})
    groups = pl.DataFrame({"group_id": [10], "medoid": [20]})
    pairs = pl.DataFrame({"left": [10, 10, 500], "right": [20, 30, 510], "accepted": [True, True, False]})
    samples = table(rows, pictures=pictures)
    return Scanned(samples=samples, embeddings=vectors, members=members, groups=groups, pairs=pairs)


@pytest.fixture(scope="module")
def drawn() -> Calibration:
    """3,000 directions, of whose 4.5 million pairs 400,000 are drawn."""
    scanned = Scanned(samples=table(3000), embeddings=directions(3000))
    return calibrate(scanned, CalibrationSettings(rate=1e-4, pairs=400_000))


def test_the_threshold_of_a_known_distribution_is_found(drawn):
    truth = 2 * beta.ppf(1 - 1e-4, (WIDTH - 1) / 2, (WIDTH - 1) / 2) - 1
    found = drawn.decides.threshold
    assert not drawn.every_pair
    assert drawn.decides.unlike.total + drawn.decides.left_out.total == 400_000
    assert found.cosine_low <= truth <= found.cosine_high
    assert found.cosine_high - found.cosine_low < 0.04


def test_the_rate_holds_on_fresh_pairs(drawn):
    found = drawn.decides.threshold
    fresh = directions(4000, seed=77)
    cosines = (fresh[:2000] @ fresh[2000:].T).ravel()
    assert found.rate_low / 1.2 <= (cosines >= found.cosine).mean() <= found.rate_high * 1.2


def test_every_pair_is_counted_once_where_there_are_no_more():
    vectors = directions(700)
    found = calibrate(Scanned(samples=table(700), embeddings=vectors), LOOSE)
    cosines = (vectors @ vectors.T)[np.triu_indices(700, 1)]
    assert found.every_pair
    assert (found.distinct, found.decides.unlike.total) == (700, 700 * 699 // 2)
    for cosine in (0.0, 0.25, 0.7):
        assert found.decides.unlike.reached(cosine) == pytest.approx((cosines >= cosine).sum(), rel=1e-3)
    whitened = whiten(vectors, np.arange(700), DuplicatesConfig())
    cosines = (whitened.vectors @ whitened.vectors.T)[np.triu_indices(700, 1)]
    assert (found.proposes.whitened, found.proposes.dims) == (True, whitened.dims)
    assert found.proposes.unlike.reached(0.3) == pytest.approx((cosines >= 0.3).sum(), rel=1e-3)
    assert (found.decides.whitened, found.decides.dims) == (False, WIDTH)


@pytest.mark.parametrize(("count", "pairs"), [(2, 1), (5, 10), (700, 300_000), (5, 9), (1000, 400_000), (3, 2)])
def test_blocks_hold_as_many_pairs_as_asked_for_and_none_with_itself(count, pairs):
    parts = list(blocks(count, pairs, seed=0))
    assert len(parts) == block_count(count, pairs)
    left, right = (
        np.concatenate([np.broadcast_arrays(part.left, part.right)[side].ravel() for part in parts]) for side in (0, 1)
    )
    assert (left >= 0).all()
    assert (right < count).all()
    if count * (count - 1) // 2 <= pairs:
        once = right > left
        assert len(set(zip(left[once], right[once], strict=True))) == once.sum() == count * (count - 1) // 2
    else:
        assert len(left) == pairs
        assert (left != right).all()


def test_drawn_pairs_are_uniform():
    counts = np.zeros((5, 5))
    for seed in range(2000):
        (block,) = blocks(5, 9, seed=seed)
        np.add.at(counts, (np.minimum(block.left, block.right), np.maximum(block.left, block.right)), 1)
    seen = counts[np.triu_indices(5, 1)]
    assert counts.sum() == seen.sum()
    assert np.abs(seen - 1800).max() < 4 * np.sqrt(1800)


def test_known_copies_are_left_out_and_counted():
    clean = calibrate(Scanned(samples=table(600), embeddings=directions(600)), LOOSE)
    found = calibrate(with_group(600, 40), LOOSE)
    assert found.left_out_by == "groups"
    assert found.decides.left_out.total == 40 * 39 // 2
    assert found.decides.left_out.share(0.9) == 1
    assert found.decides.threshold.cosine == pytest.approx(clean.decides.threshold.cosine, abs=0.05)
    assert found.decides.threshold.cosine < 0.9
    assert (found.decides.accepted.total, found.decides.accepted.reached(0.9)) == (2, 2)
    assert (found.decides.to_medoid.total, found.decides.to_medoid.reached(0.9)) == (39, 39)


def test_before_there_are_groups_the_hashes_tell_copies():
    hashes = np.random.default_rng(3).integers(0, 2**63, 600, dtype=np.uint64)
    hashes[1:40] = hashes[0] ^ np.uint64(0b1011)
    scanned = replace(with_group(600, 40), samples=table(600, hashes=hashes), members=None, groups=None, pairs=None)
    found = calibrate(scanned, LOOSE)
    assert (found.left_out_by, found.decides.left_out.total, found.decides.accepted.total) == ("hashes", 780, 0)


def test_without_pictures_the_cosine_decides_and_its_own_groups_are_named():
    found = calibrate(with_group(600, 5, pictures=False), LOOSE)
    assert (found.pictures, found.own.kind, found.left_out_by) == (False, "decides", "similarity")
    bare = replace(with_group(600, 5, pictures=False), members=None, groups=None, pairs=None)
    found = calibrate(bare, LOOSE)
    assert (found.left_out_by, found.decides.left_out.total) == ("nothing", 0)
    assert calibrate(with_group(600, 5), LOOSE).own.kind == "proposes"


def test_exact_copies_are_one_picture():
    samples = table(600).with_columns(pixel_sha256=pl.Series([f"{row % 300:064x}" for row in range(600)]))
    vectors = np.tile(directions(300), (2, 1))
    found = calibrate(Scanned(samples=samples, embeddings=vectors), LOOSE)
    assert (found.rows, found.distinct, found.decides.unlike.total) == (600, 300, 300 * 299 // 2)
    assert found.decides.unlike.reached(0.99) == 0


def test_the_seed_decides_and_nothing_else():
    scanned = Scanned(samples=table(500), embeddings=directions(500))
    settings = replace(LOOSE, pairs=50_000)
    one, again, other = (calibrate(scanned, replace(settings, seed=seed)) for seed in (1, 1, 2))
    assert calibration_table(one).equals(calibration_table(again))
    assert not calibration_table(one).equals(calibration_table(other))


def test_a_rate_is_by_default_what_an_audit_allows():
    config = DuplicatesConfig()
    found = calibrate(Scanned(samples=table(3000), embeddings=directions(3000)), CalibrationSettings(rate=1e-5))
    assert found.proposes.threshold.rate == config.candidates_per_row / 3000
    assert found.proposes.threshold.reached / found.proposes.unlike.total * 2999 <= config.candidates_per_row


def test_labels_give_precision_recall_and_a_threshold():
    scanned = with_group(600, 40)
    scanned.embeddings[5] = scanned.embeddings[0]
    rng = np.random.default_rng(1)
    left = np.concatenate([np.arange(0, 20), rng.integers(100, 300, 30), [0]])
    right = np.concatenate([np.arange(20, 40), rng.integers(300, 600, 30), [5]])
    same = np.concatenate([np.ones(20, bool), np.zeros(31, bool)])  # the last one: equal, and labelled as different
    labels = Labels(left=left, right=right, same=same)
    found = calibrate(scanned, replace(LOOSE, precision=0.9), labels)
    cosines = np.einsum("nd,nd->n", scanned.embeddings[left], scanned.embeddings[right])
    cosines /= np.linalg.norm(scanned.embeddings[left], axis=1) * np.linalg.norm(scanned.embeddings[right], axis=1)
    precise = found.decides.precise
    assert (precise.same, precise.reached) == (20, 21 + int((cosines[20:50] >= precise.cosine).sum()))
    assert precise.same / precise.reached >= 0.9
    lower = cosines >= precise.cosine - 2e-4
    assert same[lower].mean() < 0.9
    row = calibration_table(found).filter(pl.col("kind") == "decides", pl.col("cosine") == 0.9).row(0, named=True)
    assert (row["precision"], row["recall"]) == (20 / 21, 1.0)
    assert row["precision_low"] < 20 / 21 < row["precision_high"]
    assert row["recall_low"] == pytest.approx(0.8316, abs=1e-4)
    assert calibrate(scanned, replace(LOOSE, precision=0.99), labels).decides.precise is None
    assert found.decides.labelled.same.total == 20


def test_the_table_says_of_each_threshold_what_it_lets_through():
    found = calibrate(with_group(600, 40), LOOSE)
    rows = calibration_table(found)
    assert rows.columns == list(CALIBRATION.columns)
    for kind in (found.proposes, found.decides):
        part = rows.filter(pl.col("kind") == kind.kind)
        assert part.filter("chosen")["cosine"].to_list() == [kind.threshold.cosine]
        assert part["reached"].is_sorted(descending=True)
        assert part["reached"].to_list() == [kind.unlike.reached(cosine) for cosine in part["cosine"]]
        assert (part["rate"] <= part["rate_high"]).all()
        assert (part["rate_low"] <= part["rate"]).all()
        assert part["precision"].null_count() == len(part)
    decides = rows.filter(pl.col("kind") == "decides")
    half = decides.filter(pl.col("cosine") == 0.5).row(0, named=True)
    assert half["candidates_per_row"] == pytest.approx(599 * half["reached"] / half["pairs"])
    everyone = 600 * 599 // 2
    assert half["rate_with_left_out"] == pytest.approx((half["reached"] + 780) / everyone)
    assert (half["known"], half["known_reached"], half["known_share"], half["medoid_share"]) == (2, 2, 1.0, 1.0)


@pytest.mark.parametrize(
    ("distinct", "width", "dims"), [(511, 64, None), (512, 64, 64), (600, 512, 75), (10_000, 512, 256), (600, 1, None)]
)
def test_dimensions_are_those_that_the_search_whitens_to(distinct, width, dims):
    config = DuplicatesConfig()
    assert whitened_dims(distinct, width, config) == dims
    if distinct < 1000:
        found = whiten(directions(distinct, width=width), np.arange(distinct), config)
        assert (found.dims if found.whitened else None) == dims


def test_progress_is_told_of_every_block():
    seen = []

    def track(parts, total):
        for part in parts:
            seen.append(total)
            yield part

    calibrate(Scanned(samples=table(1000), embeddings=directions(1000)), LOOSE, track=track)
    assert len(seen) == seen[0] == block_count(1000, LOOSE.pairs) > 1


@pytest.mark.parametrize("rows", [0, 1])
def test_less_than_two_pictures_are_refused(rows):
    scanned = Scanned(samples=table(rows), embeddings=directions(max(rows, 1))[:rows])
    with pytest.raises(UnusableInputError, match=f"{rows} distinct picture.* needs two"):
        calibrate(scanned, LOOSE)


def test_equal_pixels_are_refused_and_equal_embeddings_too():
    samples = table(60).with_columns(pixel_sha256=pl.lit("a"))
    with pytest.raises(UnusableInputError, match="1 distinct picture in 60 rows"):
        calibrate(Scanned(samples=samples, embeddings=directions(60)), LOOSE)
    with pytest.raises(UnusableInputError, match="do not tell the pictures apart"):
        calibrate(Scanned(samples=table(600), embeddings=np.tile(directions(1), (600, 1))), LOOSE)
    with pytest.raises(UnusableInputError, match="NaN"):
        calibrate(Scanned(samples=table(600), embeddings=np.full((600, 4), np.nan)), LOOSE)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": 1e-6}, "needs 1,000,000 random pairs, and 500 distinct pictures have 124,750; give --rate 1e-05"),
        ({"rate": 1e-5, "pairs": 50_000}, "needs 100,000 random pairs, and --pairs draws 50,000; give --pairs 100000"),
        ({"rate": 1e-2, "propose_rate": 1e-7}, "124,750; give --propose-rate 1e-05 or more"),
    ],
)
def test_a_rate_that_the_pairs_cannot_tell_is_refused(settings, said):
    with pytest.raises(UnusableInputError, match=said):
        calibrate(Scanned(samples=table(500), embeddings=directions(500)), CalibrationSettings(**settings))


def test_a_handful_of_pictures_supports_no_rate():
    with pytest.raises(UnusableInputError, match="calibrate on a larger data set"):
        calibrate(Scanned(samples=table(3), embeddings=directions(3)), CalibrationSettings(rate=0.2))


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": 0.0}, {"rate": 1.0}, {"rate": -1e-3}, {"rate": float("nan")}, {"propose_rate": 1.5},
        {"precision": 0.0}, {"precision": 1.1}, {"pairs": 0},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(UnusableInputError, match="--"):
        CalibrationSettings(**settings)


def test_groups_of_another_run_are_refused():
    scanned = with_group(600, 5)
    members = scanned.members.with_columns(sample_id=pl.col("sample_id") + 1)
    with pytest.raises(UnusableInputError, match="does not have"):
        calibrate(replace(scanned, members=members), LOOSE)
