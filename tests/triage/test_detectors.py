"""Every detector on a tiny real pipeline: what it costs, what its scores depend on, whom it refuses."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from diffusers import SD3Transformer2DModel
from diffusers.models.attention_processor import AttnProcessor

from scanner.errors import UnusableInputError
from scanner.targets import DiffusersTarget, Drawn, Transform
from scanner.targets._unet import LatentUNet
from scanner.triage import (
    Anisotropy,
    BrightEnding,
    DenoisingConfidence,
    EdgeConsistency,
    HessianSharpness,
    NoiseMagnitude,
    OneStepContrast,
)
from scanner.triage._anisotropy import as_noise
from scanner.triage._bright_ending import text_attention, watched
from scanner.triage._jeon import derivative
from scanner.triage._seeded import prompt_difference

CAPTIONS = ("red square", "blue sea at night", "a word nobody knows")
IDS = ("a" * 16, "b" * 16, "c" * 16)
DETECTORS: dict[str, Callable] = {
    "wen": lambda target, **how: NoiseMagnitude(target, seeds=2, **how),
    "webster": lambda target, **how: DenoisingConfidence(target, seeds=2, **how),
    "edges": EdgeConsistency,
    "bright-ending": lambda target, **how: BrightEnding(target, seeds=2, steps=2, **how),
    "jeon": lambda target, **how: HessianSharpness(target, seeds=1, **how),
    "anisotropy": lambda target, **how: Anisotropy(target, seeds=2, **how),
    "contrast": OneStepContrast,
}
each = pytest.mark.parametrize("name", DETECTORS)


@each
def test_a_score_is_a_finite_number_and_the_same_again(tiny_target, name):
    detector = DETECTORS[name](tiny_target, run_seed=0)
    scores = detector(CAPTIONS, IDS)
    assert scores.shape == (3,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert (scores == detector(CAPTIONS, IDS)).all()


@each
def test_a_score_depends_on_the_prompt_and_the_run_and_not_on_its_mates(tiny_target, name):
    detector = DETECTORS[name](tiny_target, run_seed=0)
    together = detector(CAPTIONS, IDS)
    alone = [detector([caption], [identifier])[0] for caption, identifier in zip(CAPTIONS, IDS, strict=True)]
    assert together == pytest.approx(alone, rel=1e-4)
    other = DETECTORS[name](tiny_target, run_seed=1)(CAPTIONS, IDS)
    assert name == "edges" or (other != pytest.approx(together, rel=1e-4)), "another run, another noise"


@each
def test_what_it_says_it_costs_is_what_it_spends(tiny_target, name):
    detector = DETECTORS[name](tiny_target, run_seed=0)
    before, stated = tiny_target.evaluations, detector.evaluations
    detector(CAPTIONS, IDS)
    spent = (tiny_target.evaluations - before) / len(CAPTIONS)
    derivatives = 4 if name == "jeon" else 0  # of 2 of its evaluations, 2 each: no forward pass of their own
    assert detector.evaluations == stated == spent + derivatives


class WithoutView(DiffusersTarget):
    """A pipeline that nobody can look into."""

    denoiser = None


@each
def test_a_target_without_a_view_is_refused_unless_images_are_enough(tiny_target, name):
    tiny_target.__class__ = WithoutView
    if name == "edges":
        assert np.isfinite(DETECTORS[name](tiny_target, run_seed=0)(CAPTIONS, IDS)).all()
    else:
        with pytest.raises(UnusableInputError, match=f"as the detector {name} does; use --triage edges"):
            DETECTORS[name](tiny_target, run_seed=0)


def test_the_difference_is_that_of_two_predictions(tiny_target):
    inside = tiny_target.denoiser
    with torch.no_grad():
        noisy, first = inside.noise([1, 2]), inside.timesteps(50)[0]
        found = prompt_difference(inside, noisy, first, CAPTIONS[:2])
        for i in range(2):
            given = inside.predict(noisy[i : i + 1], first, inside.text([CAPTIONS[i]]))
            without = inside.predict(noisy[i : i + 1], first, inside.text([""]))
            assert torch.allclose(found[i : i + 1], given - without, atol=1e-4)


def test_confidence_is_the_distance_of_the_noise_and_the_one_step_image(tiny_target):
    """In the paper's terms: z₀ = σ · noise, σ = s / a, and D(z₀) the clean latents that the guided prediction means."""
    inside, seeds = tiny_target.denoiser, [7]
    with torch.no_grad():
        noisy, first = inside.noise(seeds), inside.timesteps(1)[0]
        given = inside.predict(noisy, first, inside.text(["red square"]))
        without = inside.predict(noisy, first, inside.text([""]))
        a, s = inside.noise_level(first)
        clean = inside.clean(noisy, first, without + 7.5 * (given - without))
        paper = float((noisy / a - clean).square().mean()) / (s / a) ** 2
    found = DenoisingConfidence(tiny_target, run_seed=0)._changes(["red square"], seeds)
    assert float(found[0]) ** 2 == pytest.approx(paper, rel=1e-4)


def test_the_derivative_of_the_network_is_what_finite_differences_show(tiny_target):
    inside = tiny_target.denoiser
    with torch.no_grad():
        noisy, first = inside.noise([3]), inside.timesteps(50)[0]

        def difference(x):
            return prompt_difference(inside, x, first, ["red square"])

        along = inside.noise([4])
        step = 1e-2
        central = (difference(noisy + step * along) - difference(noisy - step * along)) / (2 * step)
        found = derivative(difference, noisy, along=along)
    assert float((found - central).norm() / central.norm()) < 0.02


class AsVelocity(LatentUNet):
    """The same network, its predictions told as the velocity of the straight path (flow matching)."""

    predicts = "velocity"

    def predict(self, noisy, timestep, text):
        noise = super().predict(noisy, timestep, text)
        return noise - super().clean(noisy, timestep, noise)

    def clean(self, noisy, timestep, predicted):
        """From x = a · clean + s · noise and v = noise − clean."""
        a, s = self.noise_level(timestep)
        return (noisy - s * predicted) / (a + s)


def test_a_velocity_means_the_noise_that_the_network_predicted(tiny_target):
    noise, velocity = tiny_target.denoiser, AsVelocity(tiny_target.pipe, tiny_target.size)
    with torch.no_grad():
        noisy, middle = noise.noise([5]), noise.timesteps(4)[2]
        text = noise.text(["red square"])
        predicted = velocity.predict(noisy, middle, text)
        found = as_noise(velocity, noisy, middle, predicted)
        assert torch.allclose(found, noise.predict(noisy, middle, text), atol=1e-4)
        a, s = noise.noise_level(middle)
        of_velocity = prompt_difference(velocity, noisy, middle, ["red square"])
        of_noise = prompt_difference(noise, noisy, middle, ["red square"])
        assert torch.allclose(of_velocity, (1 + s / a) * of_noise, atol=1e-4), "a factor of the timestep alone"


def test_watching_the_attention_changes_nothing_and_sees_what_the_softmax_gives(tiny_target):
    inside = tiny_target.denoiser
    layers = text_attention(inside.network)
    before = [layer.processor for layer in layers]
    ends = torch.tensor([1, 3])
    with torch.no_grad():
        noisy, last, text = inside.noise([1, 2]), inside.timesteps(4)[-1], inside.text(CAPTIONS[:2])
        plain = inside.predict(noisy, last, text)
        with watched(layers, ends) as seen:
            watched_prediction = inside.predict(noisy, last, text)
        assert torch.equal(plain, watched_prediction)
        assert [layer.processor for layer in layers] == before
        assert len(seen) == len(layers)
        every = []
        for token in range(text.shape[1]):
            with watched(layers, torch.tensor([token, token])) as one:
                inside.predict(noisy, last, text)
            every.append(one[0])
    assert torch.allclose(torch.stack(every).sum(dim=0), torch.ones_like(every[0]), atol=1e-5), "shares of 1"
    assert torch.equal(seen[0][0], every[1][0])
    assert torch.equal(seen[0][1], every[3][1])


def test_the_end_of_a_caption_is_its_first_end_token(tiny_target):
    detector = BrightEnding(tiny_target, run_seed=0)
    tokenizer = tiny_target.pipe.tokenizer
    longest = "blue sea at night " * 20
    ends = detector._ends(["red square", "blue sea at night", longest])
    for caption, end in zip(["red square", "blue sea at night"], ends, strict=False):
        assert end == len(tokenizer(caption).input_ids) - 1
    assert ends[2] == tokenizer.model_max_length - 1, "a caption that is cut still ends with it"


def test_the_plain_attention_processor_is_watched_too(tiny_target):
    tiny_target.pipe.unet.set_attn_processor(AttnProcessor())
    assert np.isfinite(BrightEnding(tiny_target, run_seed=0, steps=2)(CAPTIONS, IDS)).all()


def test_joint_attention_has_no_ending_to_read():
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        caption_projection_dim=16,
        pooled_projection_dim=16,
        out_channels=4,
    )
    assert text_attention(transformer) == ()


def test_a_network_without_cross_attention_is_refused_in_a_sentence(tiny_target):
    for layer in text_attention(tiny_target.pipe.unet):
        layer.is_cross_attention = False
    with pytest.raises(UnusableInputError, match="has no such cross-attention; choose another with --triage"):
        BrightEnding(tiny_target, run_seed=0)


class Planted:
    """A target whose images were made elsewhere: by caption, one per seed in turn."""

    name, checksum, transform, batch, evaluations = "planted", "0", Transform(size=256), 4, 0
    denoiser, has_autoencoder = None, False

    def __init__(self, images: dict[str, list[Drawn]]) -> None:
        self.images = images

    def generate(self, captions, seeds, *, steps, guidance):
        assert (steps, guidance, len(captions)) == (1, 7.5, len(seeds))
        turn = {caption: iter(images) for caption, images in self.images.items()}
        return [next(turn[caption]) for caption in captions]

    def reconstruct(self, pictures):
        raise NotImplementedError


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = np.zeros((256, 256, 3), np.float32)
    for y, x in rng.integers(0, 200, (6, 2)):
        image[y : y + 40, x : x + 40] = rng.random(3)
    return image


def test_the_caption_whose_images_keep_their_edges_scores_highest():
    noise = np.random.default_rng(0).normal(0, 0.03, (4, 256, 256, 3)).astype(np.float32)
    images = {
        "memorised": [Drawn(image=scene(1) + noise[i]) for i in range(4)],
        "creative": [Drawn(image=scene(10 + i)) for i in range(4)],
        "blurred": [Drawn(image=np.full((256, 256, 3), 0.5, np.float32) + noise[i] / 10) for i in range(4)],
        "refused": [Drawn(image=scene(1)), *[Drawn(image=None, defect="refused")] * 3],
    }
    detector = EdgeConsistency(Planted(images), run_seed=0)
    memorised, creative, blurred, refused = detector(list(images), list(images))
    assert memorised > 5 * creative
    assert blurred == 0
    assert np.isnan(refused), "one image agrees with nobody"
    assert detector.evaluations == 0, "nobody knows what an image made elsewhere cost"
