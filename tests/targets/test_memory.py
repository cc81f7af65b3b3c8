"""Memory that runs out: the batch halves, attention is sliced, and what can't be helped is one sentence.

What runs out is the real allocator, asked by a layer of the model for more than any machine has.
"""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from scanner.errors import ScannerError, UnusableInputError
from scanner.targets import DiffusersTarget, load_target
from scanner.targets._memory import fitting_batch, free_memory, is_out_of_memory, peak_memory

Folder = Callable[[str], Path]
MORE_THAN_THERE_IS = 2**55
"""Bytes."""
CPU = torch.device("cpu")


def hungry(target: DiffusersTarget, when: Callable[[int], bool]) -> None:
    """Let the UNet ask for too much memory when so many images go through it."""

    def ask(_module: Any, args: tuple[Any, ...]) -> None:
        if when(len(args[0])):
            torch.empty(MORE_THAN_THERE_IS, dtype=torch.uint8)

    target.pipe.unet.register_forward_pre_hook(ask)


def test_a_batch_that_does_not_fit_is_halved(family_folder: Folder) -> None:
    folder, captions = str(family_folder("stable-diffusion")), ["red square"] * 9
    target = load_target(folder, device="cpu", batch=8)
    hungry(target, lambda images: images > 4)  # guidance doubles what goes through at once
    drawn = target.generate(captions, list(range(9)), steps=2, guidance=3.0)
    assert target.batch == target.settings.batch == 2
    whole = load_target(folder, device="cpu", batch=9).generate(captions, list(range(9)), steps=2, guidance=3.0)
    np.testing.assert_allclose(
        np.stack([one.image for one in drawn]), np.stack([one.image for one in whole]), atol=1e-4
    )
    assert target.evaluations == 9 * 2 * 2 + 16 + 8


def test_one_image_that_does_not_fit_is_an_error(family_folder: Folder) -> None:
    target = load_target(str(family_folder("stable-diffusion")), device="cpu", batch=4)
    hungry(target, lambda images: images > 0)
    with pytest.raises(ScannerError, match="does not fit the memory of cpu"):
        target.generate(["red square"], [1], steps=1, guidance=1.0)
    assert target.batch == 1
    target = load_target(str(family_folder("stable-diffusion")), device="cpu")
    hungry(target, lambda images: images > 0)
    with pytest.raises(UnusableInputError, match="Not even one image fits"):
        target.batch  # noqa: B018


@pytest.mark.parametrize("batch", [0, 1])
def test_attention_is_sliced_where_one_image_does_not_fit_without(family_folder: Folder, batch: int) -> None:
    target = load_target(str(family_folder("stable-diffusion")), device="cpu", batch=batch)

    def whole(_images: int) -> bool:
        return not any("Sliced" in type(kind).__name__ for kind in target.pipe.unet.attn_processors.values())

    hungry(target, whole)
    assert target.generate(["red square"], [1], steps=2, guidance=3.0)[0].defect is None
    assert target.settings.attention_slicing
    off = load_target(str(family_folder("stable-diffusion")), device="cpu", batch=1, attention_slicing="off")
    hungry(off, lambda images: images > 0)
    with pytest.raises(ScannerError, match="does not fit"):
        off.generate(["red square"], [1], steps=1, guidance=1.0)


def test_slicing_changes_no_image(family_folder: Folder) -> None:
    folder = str(family_folder("stable-diffusion"))
    sliced = load_target(folder, device="cpu", batch=1, attention_slicing="on")
    assert sliced.settings.attention_slicing
    plain = load_target(folder, device="cpu", batch=1)
    images = [target.generate(["red square"], [1], steps=2, guidance=3.0)[0].image for target in (sliced, plain)]
    np.testing.assert_allclose(*images, atol=1e-4)
    with pytest.raises(UnusableInputError, match="can't be sliced"):
        load_target(str(family_folder("flux")), device="cpu", attention_slicing="on")


def test_other_errors_are_not_taken_for_memory() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.zeros(2) + torch.zeros(3)
    assert not is_out_of_memory(refused.value)
    with pytest.raises(RuntimeError) as refused:
        torch.empty(MORE_THAN_THERE_IS, dtype=torch.uint8)
    assert is_out_of_memory(refused.value)


def test_the_limit_of_the_process_is_free_memory_too() -> None:
    before, (soft, hard) = free_memory(CPU), resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 10**9, hard))
    try:
        limited = free_memory(CPU)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert limited is not None
    assert 0 < limited <= 10**9
    assert before is not None


def test_weights_that_do_not_fit_are_refused(family_folder: Folder, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(family_folder("stable-diffusion"), tmp_path / "copy"))
    numbers = free_memory(CPU) // 2
    header = json.dumps({"huge": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    with (folder / "unet/diffusion_pytorch_model.safetensors").open("wb") as file:  # sparse: it takes no disk
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 4 * numbers)
    with pytest.raises(UnusableInputError, match="GB are free on cpu"):
        load_target(str(folder), device="cpu")


def test_the_peak_is_what_was_held_at_once() -> None:
    layer = torch.nn.Linear(1000, 1000)

    def work() -> None:
        for _ in range(5):
            held = torch.zeros(250_000)  # 1 MB, let go each time
            del held
        first = torch.zeros(500_000)
        layer.weight.t()  # a view of weights is nothing new
        (first + 1).sum()

    peak = peak_memory(CPU, [layer], work)
    assert 4_000_000 <= peak <= 4_001_000


def test_as_many_images_as_half_the_free_memory_holds() -> None:
    assert fitting_batch(CPU, 100, 10) == 5
    assert fitting_batch(CPU, 10**9, 10) == 16
    assert fitting_batch(CPU, None, 10) == 16
    assert fitting_batch(CPU, 10, 10) == 0
    assert fitting_batch(torch.device("cuda"), 10**9, 10) == 64
