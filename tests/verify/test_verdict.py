"""Verdicts on planted generations: the words, every score, and the paper's rule beside them."""

import numpy as np
import polars as pl
import pytest

from scanner.attack import EVIDENCE_FIRST, as_unit
from scanner.attack._generate import png
from scanner.tables import GENERATIONS, HITS
from scanner.verify import Evidence, Layouts, Originals, Unit, Verifier
from tests.verify.test_originals import drawings, index

PICTURES = drawings(np.random.default_rng(7), 12)
PICTURES[1] = (PICTURES[0].astype(int) - 6).clip(0, 255)  # a darker copy
GROUP = {100: 100, 101: 100}
COPIES = dict.fromkeys(range(100, 112), 1) | {100: 30}
ORIGINALS = index(PICTURES, GROUP)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.array_equal(a, b))


def noisy(picture: np.ndarray, amount: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-amount, amount + 1, picture.shape)
    return (picture.astype(int) + noise).clip(0, 255).astype(np.uint8)


def generations(images: list[np.ndarray], first: int = EVIDENCE_FIRST) -> pl.DataFrame:
    return generations_of(images, ORIGINALS, first)


def generations_of(images: list[np.ndarray], originals: Originals, first: int = EVIDENCE_FIRST) -> pl.DataFrame:
    near = originals(as_unit(np.stack(images)))
    return GENERATIONS.frame(
        {
            "prompt_id": "p",
            "image_index": first + i,
            "seed": 1000 + i,
            "near": [sample for sample, _ in found.near],
            "near_l2": [distance for _, distance in found.near],
            "l2": found.l2,
            "png": png(image),
        }
        for i, (image, found) in enumerate(zip(images, near, strict=True))
    )


def verdict(rows: pl.DataFrame, own: set[int]) -> dict:
    verifier = Verifier(
        ORIGINALS,
        Layouts([], ORIGINALS),
        copies_of=COPIES,
        copy_similarity=cosine,
        threshold=0.12,
        template_threshold=0.12,
    )
    return verifier(Evidence(prompt_id="p", own=frozenset(own), generations=rows))


UNLIKE = np.random.default_rng(3).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)


def test_two_generations_of_one_own_original_match() -> None:
    row = verdict(generations([noisy(PICTURES[0], 9, 1), UNLIKE[0], noisy(PICTURES[0], 3, 2)]), own={100})
    assert (row["verdict"], row["agreeing"], row["evidence"]) == ("matching", 2, 3)
    assert (row["sample_id"], row["seed"]) == (100, 1002)
    assert row["l2"] < 0.02
    assert row["normalised_l2"] < 0.1
    assert row["tile_l2"] >= row["l2"]
    assert row["reconstruction_l2"] is None
    assert row["paper_rule"] is True
    assert set(row) <= set(HITS.columns)


def test_another_training_image_is_retrieved() -> None:
    assert verdict(generations([PICTURES[0], PICTURES[0]]), own={105})["verdict"] == "retrieved"


def test_one_generation_is_not_enough() -> None:
    row = verdict(generations([PICTURES[5], UNLIKE[0], UNLIKE[1]]), own={105})
    assert (row["verdict"], row["agreeing"], row["paper_rule"]) == ("none", 0, True)


def test_generations_of_two_copies_of_one_group_agree() -> None:
    row = verdict(generations([PICTURES[0], PICTURES[1]]), own={100})
    assert (row["verdict"], row["agreeing"]) == ("matching", 2)


def test_k_counts_rows_and_not_pictures() -> None:
    row = verdict(generations([PICTURES[0], PICTURES[0]]), own={100})
    assert row["k"] == sum(COPIES[sample] for sample in ORIGINALS.count_within(100, 0.1)) >= 31


def test_search_images_count_for_the_papers_rule_and_for_nothing_else() -> None:
    row = verdict(generations([PICTURES[0], PICTURES[0]], first=0), own={100})
    assert (row["verdict"], row["evidence"], row["paper_rule"]) == ("none", 0, True)
    assert row["paper_l2"] == pytest.approx(0, abs=1e-6)


def test_unusable_images_are_not_judged() -> None:
    rows = generations([PICTURES[0], PICTURES[0]]).with_columns(defect=pl.lit("flat"))
    assert verdict(rows, own={100})["verdict"] == "none"
    assert verdict(rows, own={100})["paper_rule"] is None


PANEL = (slice(4, 16), slice(6, 20))


def painted(picture: np.ndarray, seed: int) -> np.ndarray:
    made = picture.copy()
    made[PANEL] = np.random.default_rng(seed).integers(0, 256, 3)
    return made


def test_a_layout_with_another_region_is_a_template() -> None:
    rng = np.random.default_rng(2)
    ground = np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 3)), 4, axis=0), 4, axis=1).astype(np.uint8)
    pictures = np.stack([*(painted(ground, seed) for seed in range(12)), *PICTURES[2:]])
    originals = index(pictures, {})
    variants = range(100, 112)
    verifier = Verifier(
        originals,
        Layouts([Unit(members=tuple(variants), variants=True)], originals),
        copies_of=dict.fromkeys(range(100, 100 + len(pictures)), 1),
        copy_similarity=None,
        threshold=0.12,
        template_threshold=0.12,
    )

    def judged(images: list[np.ndarray]) -> dict:
        rows = generations_of(images, originals)
        return verifier(Evidence(prompt_id="p", own=frozenset(variants), generations=rows))

    fresh = judged([painted(ground, 50), painted(ground, 51), UNLIKE[0]])
    assert (fresh["verdict"], fresh["agreeing"]) == ("template", 2)
    assert fresh["template_area"] == pytest.approx(1 - 12 * 14 / 32**2)
    assert fresh["template_l2"] < 0.01
    assert fresh["sample_id"] in variants
    assert set(fresh) <= set(HITS.columns)
    copied = judged([noisy(pictures[3], 4, 1), noisy(pictures[3], 4, 2)])
    assert (copied["verdict"], copied["sample_id"]) == ("matching", 103)
    assert copied["masked_share"] < 0.2
    assert judged([painted(ground, 50), UNLIKE[0], UNLIKE[1]])["verdict"] == "none"
