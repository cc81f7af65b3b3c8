"""Verdicts and stored scores against the truth: rates as planted, curves as a slow version counts them."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.duplicates.captions import prompt_id
from scanner.report import rate
from scanner.run import Run
from scanner.score import read_truth, score
from scanner.score._curves import average_precision, curve, prompt_scores, threshold_for
from scanner.tables import GENERATIONS, HITS, SAMPLES
from tests.score.planted import PICTURES, make_run, make_truth

NAMES = ("truth.parquet", "RUN")
CAPTIONS = {one.name: prompt_id(one.caption) for one in PICTURES}
L2 = {"canary-0": 0.02, "canary-1": 0.05, "twin-1": 0.04, "twin-0": 0.3}
"""Of the attacked prompts; the others have no distance."""


@pytest.fixture
def run(tmp_path) -> Run:
    run = make_run(tmp_path / "run")
    l2 = pl.col("prompt_id").replace_strict({CAPTIONS[name]: x for name, x in L2.items()}, default=None)
    HITS.write(run.path, run.read(HITS).with_columns(normalised_l2=l2, agreeing=pl.lit(4)))
    return run


@pytest.fixture
def truth(tmp_path) -> pl.DataFrame:
    return read_truth(make_truth(tmp_path / "truth.parquet"))


def test_a_twin_is_a_wrong_verdict_and_a_retrieved_canary_a_right_one(run, truth):
    found = {one.verdict: one for one in score(run, truth, names=NAMES).score.error_rates}
    assert list(found) == ["matching", "template", "retrieved", "any"]
    # canary-0 and twin-1 are matching, canary-1 is retrieved; canary-0, canary-1 of 8 copies were attacked
    assert found["matching"].precision == rate(1, 2)
    assert found["matching"].recall == rate(1, 2)
    assert found["retrieved"].precision == rate(1, 1)
    assert found["retrieved"].recall == rate(1, 2)
    assert found["any"].precision == rate(2, 3)
    assert found["any"].recall == rate(2, 2)
    assert found["template"].precision.tried == 0
    # twin-0, twin-1, canary-4 and three controls of the user's own
    assert found["any"].false_positives == rate(1, 6)


def test_a_template_is_right_when_it_names_a_variant_of_the_layout_under_its_caption(run, truth):
    prompt = pl.col("prompt_id") == CAPTIONS["canary-1"]
    (shown,) = (
        SAMPLES.read(run.path)
        .filter(caption=next(p.caption for p in PICTURES if p.name == "canary-1"))
        .head(1)["sample_id"]
    )
    hits = run.read(HITS).with_columns(
        verdict=pl.when(prompt).then(pl.lit("template")).otherwise("verdict"),
        sample_id=pl.when(prompt).then(shown).otherwise("sample_id"),
    )
    HITS.write(run.path, hits)
    variant = pl.col("picture") == "canary-1"
    layouts = truth.with_columns(template=pl.when(variant).then(3), copies=pl.when(variant).then(1).otherwise("copies"))
    scored = score(run, layouts, names=NAMES).score
    found = {one.verdict: one for one in scored.error_rates}
    assert (found["template"].precision, found["template"].recall) == (rate(1, 1), rate(1, 1))
    assert found["matching"].recall == rate(1, 1)  # canary-0 alone
    assert found["any"].recall == rate(2, 2)
    assert [one.template for one in scored.confusion if one.truth == "a layout's variants"] == [1]
    HITS.write(run.path, hits.with_columns(verdict=pl.when(prompt).then(pl.lit("matching")).otherwise("verdict")))
    found = {one.verdict: one for one in score(run, layouts, names=NAMES).score.error_rates}
    assert found["matching"].precision == rate(1, 3)  # a variant stands once: naming it is wrong
    assert found["template"].recall == rate(0, 1)


def test_what_the_truth_does_not_know_is_in_no_precision(run, truth):
    partly = truth.filter(pl.col("picture") != "twin-1")
    found = {one.verdict: one for one in score(run, partly, names=NAMES).score.error_rates}
    assert (found["matching"].given, found["matching"].not_known) == (2, 1)
    assert found["matching"].precision == rate(1, 1)


def test_matching_must_name_the_prompts_own_picture(run, truth):
    verdicts = run.read(HITS).with_columns(verdict=pl.col("verdict").replace("retrieved", "matching"))
    HITS.write(run.path, verdicts)
    found = {one.verdict: one for one in score(run, truth, names=NAMES).score.error_rates}
    assert found["matching"].precision == rate(1, 3)


def test_scores_and_their_threshold(run, truth):
    scored = score(run, truth, names=NAMES, precision=0.9)
    found = {one.score: one for one in scored.score.curves}
    assert list(found) == ["normalised_l2", "agreeing"]  # those that some prompt has
    l2 = found["normalised_l2"]
    assert (l2.positives, l2.negatives, l2.scored, l2.passes) == (2, 6, 4, "at most")
    # 0.02 and 0.05 against 0.04, 0.3 and four without
    assert l2.auc == pytest.approx((6 + 5) / 12)
    assert l2.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert l2.threshold == 0.02
    assert (l2.precision, l2.recall, l2.false_positives) == (rate(1, 1), rate(1, 2), rate(0, 6))
    (looser,) = (
        one for one in score(run, truth, names=NAMES, precision=0.6).score.curves if one.score == "normalised_l2"
    )
    assert (looser.threshold, looser.precision, looser.recall) == (0.05, rate(2, 3), rate(2, 2))
    assert found["agreeing"].threshold is None
    assert (found["agreeing"].recall.share, found["agreeing"].precision.share) == (0, None)
    points = scored.points.filter(pl.col("score") == "normalised_l2")
    assert points.select("threshold", "true_positives", "false_positives").rows() == [
        (0.02, 1, 0), (0.04, 1, 1), (0.05, 2, 1), (0.3, 2, 2),
    ]  # fmt: skip


def test_agreement_is_where_two_full_step_images_show_one_original(run):
    rows = run.read(GENERATIONS)
    mine = (pl.col("prompt_id") == CAPTIONS["canary-0"]) & (pl.col("image_index") >= 1_000_000)
    number = (pl.col("image_index") - 1_000_000).cast(pl.Int64)
    # rows 0 and 1 are of one group, whose agreement begins at 0.09; row 40 stands nearer, but in one image alone
    near = pl.when(number == 0).then(pl.lit([0, 40])).when(number == 1).then(pl.lit([1])).otherwise(pl.lit([0]))
    near_l2 = (
        pl.when(number == 0).then(pl.lit([0.05, 0.01])).when(number == 1).then(pl.lit([0.09])).otherwise(pl.lit([0.2]))
    )
    changed = rows.with_columns(
        near=pl.when(mine).then(near).otherwise(pl.col("near")),
        near_l2=pl.when(mine).then(near_l2).otherwise(pl.col("near_l2")),
    )
    GENERATIONS.write(run.path, changed, part="all")
    found = dict(prompt_scores(run).select("prompt_id", "agreement_l2").iter_rows())
    assert found[CAPTIONS["canary-0"]] == 0.09
    assert found[CAPTIONS["canary-1"]] is None


@pytest.mark.parametrize("column", ["paper_l2", "copy_similarity"])
def test_a_run_of_before_without_a_column_is_scored(run, truth, column):
    run.read(HITS).drop(column).write_parquet(run.path / HITS.path)
    assert [one.score for one in score(run, truth, names=NAMES).score.curves] == ["normalised_l2", "agreeing"]


scores = st.lists(st.one_of(st.just(-np.inf), st.integers(0, 6).map(float)), max_size=12)


@given(scores, scores)
def test_the_curve_counts_what_passes(positive, negative):
    points = curve(np.array(positive, float), np.array(negative, float))
    seen = sorted({x for x in positive + negative if x > -np.inf}, reverse=True)
    slow = [(t, sum(x >= t for x in positive), sum(x >= t for x in negative)) for t in seen]
    assert [(point.threshold, point.true, point.false) for point in points] == slow
    if positive:
        steps = [(0, 0, 0), *slow]
        area = sum((new[1] - old[1]) / len(positive) * new[1] / (new[1] + new[2]) for old, new in pairwise(steps))
        assert average_precision(points, len(positive)) == pytest.approx(area)
    fit = [(true, t) for t, true, false in slow if true and true / (true + false) >= 0.8]
    best = threshold_for(points, 0.8)
    assert (None if best is None else (best.true, best.threshold)) == (max(fit) if fit else None)
