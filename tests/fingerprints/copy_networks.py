"""Tiny real networks in the formats that a copy-detection network comes in, made on the spot."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

GRID = 8
WIDTH = 3 * GRID * GRID
FOLD = np.eye(GRID, dtype=np.float32) + np.eye(GRID, dtype=np.float32)[::-1]
"""Adds to each column of a grid the one on the other side: a picture and its mirror image come out as one."""


class Tiny(nn.Module):
    """Colours on a grid of 8 × 8, left and right added, through a random rotation that depends on the seed."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("fold", torch.from_numpy(FOLD.copy()))
        self.register_buffer("turn", torch.linalg.qr(torch.randn((WIDTH, WIDTH), generator=generator))[0])

    def forward(self, x: Tensor) -> Tensor:
        grid = (nn.functional.adaptive_avg_pool2d(x, 8) @ self.fold).flatten(1)
        return nn.functional.normalize((grid - grid.mean(dim=1, keepdim=True)) @ self.turn)


class Fails(nn.Module):
    """A network that is no copy detector: `what` it gives for a picture."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Tensor:
        if self.what == "a map":
            return x
        if self.what == "a flat row":
            return x.mean(dim=(0, 2, 3))
        if self.what == "nan":
            return x.mean(dim=(2, 3)) * float("nan")
        return x.reshape(7)


def save_torchscript(network: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.save(torch.jit.script(network.eval()), path)
    return path


def save_onnx(
    path: Path, shape: tuple[Any, ...] = ("n", 3, "h", "w"), *, tile: tuple[int, int] = (40, 40), outputs: int = 1
) -> Path:
    """The same without the rotation, for pictures of 8 × 8 tiles: (n, WIDTH)."""
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["grid"], kernel_shape=tile, strides=tile),
        helper.make_node("MatMul", ["grid", "fold"], ["folded"]),
        helper.make_node("Flatten", ["folded"], ["flat"]),
        helper.make_node("ReduceMean", ["flat"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["flat", "mean"], ["embedding"]),
        helper.make_node("Identity", ["embedding"], ["again"]),
    ]
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", WIDTH)) for name in ("embedding", "again")]
    graph = helper.make_graph(nodes, "tiny", [given], made[:outputs], [numpy_helper.from_array(FOLD, "fold")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
