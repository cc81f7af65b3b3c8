"""A copy-detection network that the user has as a file: SSCD, or any other with the same input and output.

Pizzi et al. 2022, *A Self-Supervised Descriptor for Image Copy Detection*, https://arxiv.org/abs/2202.10261. The
network's weights are not ours to give (CC-NC): its authors publish them as TorchScript at
https://github.com/facebookresearch/sscd-copy-detection, and their README is the source of the preprocessing and of the
cosine. Whatever the file holds, it must take (1, 3, height, width) float32 at ImageNet's mean and deviation and give
(1, d).

>>> model = load_copy_model("sscd_disc_mixup.torchscript.pt", "skew-320")      # doctest: +SKIP
>>> model(picture) @ model(other)                                          # doctest: +SKIP
0.81
"""

from scanner.fingerprints.copy_model._model import CopyModel, load_copy_model
from scanner.fingerprints.copy_model._prepare import PREPROCESSINGS, prepared
from scanner.fingerprints.copy_model._torchscript import one_core

__all__ = ["PREPROCESSINGS", "CopyModel", "load_copy_model", "one_core", "prepared"]
