"""A tiny open_clip model that has learned what seven colours are called: both towers real, trained in seconds."""

import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 170, 50),
    "blue": (30, 50, 220),
    "yellow": (240, 220, 40),
    "black": (10, 10, 10),
    "white": (245, 245, 245),
    "purple": (150, 40, 190),
}
SIDE = 32
CONTEXT = 16
CONFIG = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
HALF = {"mean": [0.5] * 3, "std": [0.5] * 3}
_STEPS = 60


def square(colour: str, seed: int, side: int = SIDE) -> NDArray[np.uint8]:
    """A square of the colour on a grey ground of coarse noise: uint8, side × side × 3; another one for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(90, 160, (8, 8, 1), dtype=np.uint8).repeat(3, axis=2)
    picture = np.kron(coarse, np.ones((side // 8, side // 8, 1), np.uint8))
    top, left = rng.integers(0, side // 2, 2)
    picture[top : top + side // 2, left : left + side // 2] = COLOURS[colour]
    return picture


def train_coloured_clip(folder: Path) -> Path:
    """Train, contrastively, on squares under "a COLOUR square", and store it as open_clip stores a model."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # layers of this size only wait for each other's threads
    network = _trained()
    torch.set_num_threads(threads)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": HALF}))
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def _trained() -> open_clip.CLIP:
    torch.manual_seed(0)
    network, tokenize = open_clip.CLIP(**CONFIG), open_clip.SimpleTokenizer(context_length=CONTEXT)
    network.token_embedding.requires_grad_(False)  # most of its weights, and seven words are apart as they are
    learning = [weights for weights in network.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=3e-3, foreach=True)
    tokens, target = tokenize([f"a {colour} square" for colour in COLOURS]), torch.arange(len(COLOURS))
    for step in range(_STEPS):
        pictures = np.stack([square(colour, 1000 * step + row) for row, colour in enumerate(COLOURS)])
        inputs = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
        images, texts, scale = network(inputs, tokens)
        logits = scale * images @ texts.T
        loss = nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network
