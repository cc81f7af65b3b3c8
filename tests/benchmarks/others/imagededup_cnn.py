"""imagededup (https://github.com/idealo/imagededup): its CNN method at its default cosine of 0.9.

    python imagededup_cnn.py FOLDER FOUND.json [lite0]

By default MobileNetV3 small with torchvision's ImageNet weights, which are downloaded when they are first used. `lite0`
gives imagededup the weights behind the scanner's `--model demo` instead, by its own way for a user's model; they come
with the scanner, and so run without a network.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from imagededup.methods import CNN
from imagededup.utils import CustomModel
from PIL import Image


def shipped_model() -> CustomModel:
    """The demo model's network and its own preparation of a picture, as imagededup wants them."""
    from scanner.fingerprints import load_embedder  # noqa: PLC0415 the default needs no scanner

    embedder = load_embedder("demo")

    class Network(torch.nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return embedder._network.encode_image(batch)

    def prepare(image: Image.Image) -> torch.Tensor:
        return embedder.prepare(np.asarray(image.convert("RGB")))

    return CustomModel(name="lite0", model=Network(), transform=prepare)


if __name__ == "__main__":
    method = CNN(verbose=False, model_config=shipped_model() if sys.argv[3:] == ["lite0"] else None)
    alike = method.find_duplicates(image_dir=sys.argv[1])
    pairs = {tuple(sorted((name, other))) for name, others in alike.items() for other in others}
    Path(sys.argv[2]).write_text(json.dumps({"pairs": sorted(pairs)}))
