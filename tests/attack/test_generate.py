"""The generating stage on a real tiny pipeline: rows, seeds, resumable parts, and images that show nothing."""

import numpy as np
import pytest

from scanner.attack import EVIDENCE_FIRST, Generator, Near, PromptImages, Sampling, from_png
from scanner.tables import GENERATIONS
from scanner.targets import DiffusersTarget, drawn, image_seed

SAMPLING = Sampling(run_seed=5, steps=2, guidance=3.0)


def lookup(images: np.ndarray) -> list[Near]:
    return [Near(near=((int(i), 0.1),), l2_sample_id=int(i), l2=float(image.mean())) for i, image in enumerate(images)]


def test_each_image_is_a_row_with_its_seed_and_its_pixels(tiny_target: DiffusersTarget) -> None:
    batch = [
        PromptImages(prompt_id="b", caption="red square", indices=(2, 3)),
        PromptImages(prompt_id="a", caption="blue sea", indices=(0,)),
    ]
    rows = Generator(tiny_target, lookup, SAMPLING)(batch)
    assert rows.schema == GENERATIONS.schema
    assert rows.select("prompt_id", "image_index").rows() == [("a", 0), ("b", 2), ("b", 3)]
    assert rows["seed"].to_list() == [image_seed(5, "a", 0), image_seed(5, "b", 2), image_seed(5, "b", 3)]
    assert rows["evaluations"].to_list() == [4, 4, 4]
    assert [from_png(png).mean() / 255 for png in rows["png"]] == pytest.approx(rows["l2"].to_list(), abs=1e-6)


def test_splitting_a_batch_gives_the_same_images(tiny_target: DiffusersTarget) -> None:
    stage = Generator(tiny_target, lookup, SAMPLING)
    whole = stage([PromptImages(prompt_id="a", caption="red square", indices=(0, 1, 2))])
    last = stage([PromptImages(prompt_id="a", caption="red square", indices=(2,))])
    difference = from_png(whole["png"][2]).astype(int) - from_png(last["png"][0])
    assert np.abs(difference).max() <= 1
    assert whole["seed"][2] == last["seed"][0]


def test_the_evidence_has_the_seeds_of_the_search(tiny_target: DiffusersTarget) -> None:
    part = PromptImages(prompt_id="a", caption="red square", indices=(3, EVIDENCE_FIRST + 3))
    rows = Generator(tiny_target, lookup, SAMPLING)([part])
    assert rows["seed"].to_list() == [image_seed(5, "a", 3)] * 2
    assert rows["png"].n_unique() == 1


def test_without_originals_nothing_is_compared(tiny_target: DiffusersTarget) -> None:
    rows = Generator(tiny_target, None, SAMPLING)([PromptImages(prompt_id="a", caption="red square", indices=(0,))])
    assert rows["png"].null_count() == 0
    assert rows["near"].to_list() == rows["l2"].to_list() == [None]


class BrokenTarget(DiffusersTarget):
    """A real target whose weights overflow for some images, as half precision does."""

    def generate(self, captions, seeds, *, steps, guidance):
        images = super().generate(captions, seeds, steps=steps, guidance=guidance)
        images[:2] = [drawn(np.full_like(images[0].image, np.nan)), drawn(np.zeros_like(images[1].image))]
        return images


def test_images_that_show_nothing_are_kept_with_their_defect_and_not_compared(tiny_target: DiffusersTarget) -> None:
    tiny_target.__class__ = BrokenTarget
    rows = Generator(tiny_target, lookup, SAMPLING)([PromptImages(prompt_id="a", caption="x", indices=(0, 1, 2))])
    assert rows["defect"].to_list() == ["not_finite", "flat", None]
    assert rows["sample_id"].to_list() == [None, None, 0]
    assert rows["near"].to_list()[:2] == [None, None]
