"""Text-image agreement: scaled by the set's own pairs as a slow count says, and highest for the right caption."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from scanner.fingerprints import load_embedder
from scanner.prompts import MOST_REFERENCES, Agreement, draw_references, measure_pairs, share_below
from scanner.tables import SAMPLES
from tests.fingerprints.coloured_clip import COLOURS, square
from tests.prompts.planted import plant

COSINE = st.integers(-5, 5).map(lambda tenth: tenth / 5)


@settings(deadline=None)
@given(st.lists(COSINE), st.lists(COSINE, min_size=1))
def test_the_share_that_is_lower_is_what_a_count_says(values, reference):
    found = share_below(np.array(values), np.sort(reference))
    slow = [
        sum(1.0 if one < value else 0.5 if one == value else 0.0 for one in reference) / len(reference)
        for value in values
    ]
    assert found.tolist() == pytest.approx(slow, abs=1e-12)


@settings(deadline=None)
@given(st.lists(COSINE, min_size=1, unique=True), st.floats(0.1, 3), st.floats(-1, 1))
def test_the_scale_of_the_model_does_not_matter(cosines, factor, shift):
    values = np.sort(cosines)
    assert np.array_equal(share_below(values, values), share_below(factor * values + shift, factor * values + shift))


def test_references_are_captioned_rows_in_no_group():
    planted = plant([["in a group"] * 3, ["in another", "one"]], ["alone", None, "...", "one", "alone"])
    drawn = draw_references(planted.samples.lazy(), planted.members, seed=0)
    assert drawn.rows() == [("alone", 5), ("one", 8), ("alone", 9)]


def test_references_are_a_thousand_reproducible_from_the_seed_whatever_the_order():
    captions = ["?!" if row % 2 else f"caption {row}" for row in range(3 * MOST_REFERENCES)]
    planted = plant([["fox"] * 2], captions)
    drawn = draw_references(planted.samples.lazy(), planted.members, seed=4)
    assert len(drawn) == MOST_REFERENCES == drawn["caption"].str.starts_with("caption").sum()
    assert_frame_equal(drawn, draw_references(planted.samples[::-1].lazy(), planted.members[::-1], seed=4))
    assert set(drawn["sample_id"]) != set(draw_references(planted.samples.lazy(), planted.members, seed=5)["sample_id"])


@pytest.fixture(scope="module")
def embedder(coloured_clip):
    return load_embedder(f"local-dir:{coloured_clip}")


@pytest.fixture(scope="module")
def run(embedder, tmp_path_factory):
    """Seven squares, one of each colour, in two shards, with a stored row that is zero at the end."""
    path = tmp_path_factory.mktemp("run")
    rows = embedder([square(colour, 10**6) for colour in COLOURS])
    (path / "embeddings").mkdir()
    for number, block in enumerate((rows[:4], np.concatenate([rows[4:], np.zeros((1, embedder.width), np.float16)]))):
        ids = pl.Series("sample_id", [(number << 32) + row for row in range(len(block))], dtype=pl.Int64)
        SAMPLES.write(path, SAMPLES.empty().clear(len(block)).with_columns(ids), f"{number:05d}")
        np.save(path / "embeddings" / f"{number:05d}.npy", block)
    return path


IDS = [0, 1, 2, 3, 2**32, 2**32 + 1, 2**32 + 2]
"""Sample ids of the squares, in the order of COLOURS."""


def every_pair():
    pairs = [(f"a {colour} square", one) for one in IDS for colour in COLOURS]
    return pl.DataFrame(pairs, schema={"caption": pl.String, "sample_id": pl.Int64}, orient="row")


def test_the_cosine_is_that_of_the_two_towers(run, embedder):
    captions = embedder.text()([f"a {colour} square" for colour in COLOURS]).rows
    pictures = embedder([square(colour, 10**6) for colour in COLOURS]).astype(np.float64)
    expected = (pictures / np.linalg.norm(pictures, axis=1, keepdims=True)) @ captions.T
    found = measure_pairs(run, embedder.text(), every_pair())
    assert np.abs(found["cosine"].to_numpy().reshape(7, 7) - expected).max() < 1e-6
    assert not found["cut"].any()


def test_every_picture_agrees_most_with_the_caption_that_names_its_colour(run, embedder):
    cosines = measure_pairs(run, embedder.text(), every_pair())["cosine"].to_numpy()
    agreement = Agreement(run, embedder.text(), cosines[::-1])(every_pair())
    assert (agreement.dtype, agreement.len()) == (pl.Float64, 49)
    assert agreement.to_numpy().reshape(7, 7).argmax(axis=1).tolist() == list(range(7))
    slow = [(np.sum(cosines < one) + np.sum(cosines == one) / 2) / 49 for one in cosines]
    assert agreement.to_list() == pytest.approx(slow, abs=1e-12)


def test_what_is_not_known_is_null_and_the_rest_is_not_moved_by_it(run, embedder):
    agreement = Agreement(run, embedder.text(), np.linspace(-1, 1, 30))
    known = pl.DataFrame({"caption": ["a red square", "a red square"], "sample_id": [0, 1]})
    nothing = [(None, 0), ("a red square", None), ("a red square", 99), ("a fox", 7 << 32), ("a fox", 2**32 + 3)]
    unknown = pl.DataFrame(nothing, schema=known.schema, orient="row")
    mixed = pl.concat([unknown[:2], known[:1], unknown[2:], known[1:]])
    found = agreement.measure(mixed)
    assert found["agreement"].is_null().to_list() == [True, True, False, True, True, True, False]
    assert found["cosine"].is_null().to_list() == found["cut"].is_null().to_list() == [
        True, True, False, True, True, True, False
    ]  # fmt: skip
    assert_series_equal(found["agreement"].drop_nulls(), agreement(known))
    assert agreement(known[:0]).dtype == pl.Float64
    assert agreement(unknown).null_count() == len(unknown)


def test_captions_in_any_order_and_number_have_the_same_agreement(run, embedder):
    many = pl.concat([every_pair(), every_pair().with_columns(pl.col("caption") + pl.col("sample_id").cast(pl.String))])
    agreement = Agreement(run, embedder.text(), np.linspace(-1, 1, 30))
    order = np.random.default_rng(0).permutation(len(many))
    assert_series_equal(agreement(many)[order], agreement(many[order]))


def test_a_caption_that_is_cut_is_said_to_be(run, embedder):
    pairs = pl.DataFrame({"caption": ["a red square", "red " * 30], "sample_id": [0, 0]})
    assert measure_pairs(run, embedder.text(), pairs)["cut"].to_list() == [False, True]
