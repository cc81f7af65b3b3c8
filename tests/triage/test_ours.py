"""Contrast, lookup and the combined rule: what they measure, against slow obvious versions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scanner.attack import block_means, normalise
from scanner.targets import Drawn
from scanner.triage import (
    CombinedRule,
    DenoisingConfidence,
    FewStepLookup,
    OneStepContrast,
    fit_logistic,
    signed_log,
)
from scanner.triage._contrast import contrast
from scanner.verify import Blocks, Originals
from tests.triage.test_detectors import CAPTIONS, IDS, Planted, scene
from tests.verify.test_originals import Held


@given(arrays(np.float32, (2, 3, 4, 4), elements=st.floats(-5, 5, width=32)))
def test_contrast_is_the_deviation_around_each_channels_mean(latents):
    slow = [np.sqrt(np.mean([np.var(channel.astype(np.float64)) for channel in one])) for one in latents]
    assert contrast(torch.from_numpy(latents)).numpy() == pytest.approx(slow, abs=1e-9)


def test_contrast_is_that_of_what_one_evaluation_predicts(tiny_target):
    inside = tiny_target.denoiser
    with torch.no_grad():
        noisy, first = inside.noise([9]), inside.timesteps(50)[0]
        clean = inside.clean(noisy, first, inside.predict(noisy, first, inside.text(["red square"])))
    detector = OneStepContrast(tiny_target, run_seed=0)
    assert float(detector._contrasts(["red square"], [9])[0]) == pytest.approx(float(contrast(clean)[0]), rel=1e-4)


def originals(pictures: list[np.ndarray]) -> Originals:
    images = np.stack(pictures)
    blocks = Blocks.of(images, np.arange(len(images)))
    return Originals(blocks, Held((images * 255).astype(np.uint8)), {}, None)


def test_the_nearest_original_by_block_means_is_the_nearest_of_all():
    index, asked = originals([scene(i) for i in range(5)]), np.stack([scene(3) * 0.7 + 0.1, scene(11)])
    slow = [
        min(
            np.sqrt(np.square(block_means(normalise(image)) - block_means(normalise(scene(i)))).mean())
            for i in range(5)
        )
        for image in asked
    ]
    assert index.nearest_blocks(asked) == pytest.approx(slow, abs=1e-3)
    assert index.nearest_blocks(asked)[0] < 0.01, "at another brightness and contrast it is the same picture"


class TwoSteps(Planted):
    """Images made elsewhere, in two steps."""

    def generate(self, captions, seeds, *, steps, guidance):
        assert (steps, guidance) == (2, 3.0)
        return super().generate(captions, seeds, steps=1, guidance=7.5)


def test_the_caption_whose_image_is_an_original_scores_highest():
    images = {
        "memorised": [Drawn(image=scene(11)), Drawn(image=scene(2) * 0.9)],
        "creative": [Drawn(image=scene(12)), Drawn(image=scene(13))],
        "refused": [Drawn(image=None, defect="refused")] * 2,
    }
    index = originals([scene(i) for i in range(5)])
    detector = FewStepLookup(TwoSteps(images), index.nearest_blocks, run_seed=0, guidance=3.0, seeds=2)
    memorised, creative, refused = detector(list(images), list(images))
    assert -0.01 < memorised <= 0
    assert creative < -0.05
    assert np.isnan(refused)


def test_lookup_costs_what_it_says(tiny_target):
    detector = FewStepLookup(tiny_target, lambda images: images.mean(axis=(1, 2, 3)), run_seed=0, guidance=3.0)
    stated = detector.evaluations
    found = detector(CAPTIONS, IDS)
    assert detector.evaluations == stated == tiny_target.evaluations / 3 == 4
    assert found == pytest.approx([detector([c], [i])[0] for c, i in zip(CAPTIONS, IDS, strict=True)], rel=1e-3)


def test_the_fit_finds_the_coefficients_that_made_the_labels():
    rng = np.random.default_rng(0)
    columns = rng.normal(0, [1, 5], (20_000, 2))
    positive = rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * columns[:, 0] - 0.2 * columns[:, 1] - 1)))
    coefficients, intercept = fit_logistic(columns, positive)
    assert coefficients == pytest.approx([1.5, -0.2], rel=0.3), "the ridge draws them in a little"
    assert coefficients[0] / coefficients[1] == pytest.approx(-7.5, rel=0.2)
    assert intercept == pytest.approx(-1, abs=0.2)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_logarithms_keep_the_order_of_scores_of_one_sign(values):
    for sign in (1, -1):
        alike = np.array(sorted(sign * abs(v) for v in values))
        found = signed_log(alike)
        assert np.isfinite(found).all()
        assert (np.diff(found) >= 0).all() or (alike == 0).any()


def test_a_part_that_gives_no_number_leaves_the_rule_without_one(tiny_target):
    parts = {"webster": DenoisingConfidence, "contrast": OneStepContrast}
    made = [
        parts[name](tiny_target, run_seed=0)
        if name in parts
        else FewStepLookup(tiny_target, lambda images: images.mean(axis=(1, 2, 3)), run_seed=0, guidance=3.0)
        for name in CombinedRule.fitted_parts()
    ]
    rule = CombinedRule(made)
    scores = rule(CAPTIONS, IDS)
    assert np.isfinite(scores).all()
    told = {part.name: np.ones(3) for part in made}
    told[made[0].name] = np.array([1.0, np.nan, 2.0])
    assert np.isnan(rule.combine(told)).tolist() == [False, True, False]
