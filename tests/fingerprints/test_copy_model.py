"""A copy-detection network from a file: what it gives, and one sentence for each file that can't be used."""

import builtins
import hashlib

import numpy as np
import onnx
import pytest
import torch
import torchvision
from PIL import Image

from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints.copy_model import load_copy_model, prepared
from tests.fingerprints.copy_networks import WIDTH, Fails, Tiny, save_onnx, save_torchscript
from tests.samples.pictures import photo_like


@pytest.fixture(scope="module")
def torchscript(tmp_path_factory):
    return save_torchscript(Tiny(), tmp_path_factory.mktemp("model") / "tiny.torchscript.pt")


@pytest.mark.parametrize("how", ["skew-320", "small-288"])
@pytest.mark.parametrize("size", [(60, 90), (90, 60), (700, 500), (8, 8)])
def test_pictures_are_prepared_as_the_readme_of_sscd_says(how, size):
    picture = photo_like(3, *size)
    transforms = torchvision.transforms
    resize = transforms.Resize(288) if how == "small-288" else transforms.Resize([320, 320])
    normalize = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    wanted = transforms.Compose([resize, transforms.ToTensor(), normalize])(Image.fromarray(picture))
    np.testing.assert_allclose(prepared(picture, how)[0], wanted.numpy(), atol=1e-5)


def test_a_ribbon_is_squeezed_to_four_to_one():
    assert prepared(np.zeros((2, 2000, 3), np.uint8), "small-288").shape == (1, 3, 288, 1152)
    assert prepared(np.zeros((2000, 2, 3), np.uint8), "small-288").shape == (1, 3, 1152, 288)


def test_torchscript_gives_unit_rows_and_names_its_file(torchscript):
    model = load_copy_model(torchscript, "skew-320")
    picture = photo_like(1, 60, 90)
    row = model(picture)
    assert (row.dtype, row.shape, model.width, model.name) == (np.float16, (WIDTH,), WIDTH, "tiny.torchscript.pt")
    assert model.checksum == hashlib.sha256(torchscript.read_bytes()).hexdigest()
    wanted = Tiny()(torch.from_numpy(prepared(picture, "skew-320")))[0].numpy()
    np.testing.assert_allclose(row, wanted, atol=1e-3)
    assert row @ model(picture[:, ::-1].copy()) > 0.99 > row @ model(photo_like(2, 60, 90))


def test_the_aspect_can_be_kept(torchscript):
    model = load_copy_model(torchscript, "small-288")
    assert (model.preprocessing, model(photo_like(1, 60, 90)).shape) == ("small-288", (WIDTH,))


def test_onnx_gives_unit_rows(tmp_path):
    pytest.importorskip("onnxruntime")
    model = load_copy_model(save_onnx(tmp_path / "tiny.onnx"), "skew-320")
    row = model(photo_like(1, 60, 90))
    assert (row.dtype, row.shape, model.preprocessing) == (np.float16, (WIDTH,), "skew-320")
    assert float(np.linalg.norm(row.astype(np.float64))) == pytest.approx(1, abs=1e-3)


def test_onnx_of_one_size_gets_pictures_of_that_size(tmp_path):
    file = save_onnx(tmp_path / "tiny.onnx", (1, 3, 64, 48), tile=(8, 6))
    model = load_copy_model(file, "skew-320")
    assert model.preprocessing == "skew-64x48"
    assert model(photo_like(1, 60, 90)).shape == (WIDTH,)
    with pytest.raises(UnusableInputError, match=r"tiny.onnx takes pictures of 64 × 48 pixels alone"):
        load_copy_model(file, "small-288")


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("a map", r"gives shape \(1, 3, 320, 320\) for one picture and not one row of numbers, \(1, d\)"),
        ("a flat row", r"gives shape \(3,\) for one picture and not one row"),
        ("nothing", "does not take a batch of RGB pictures"),
    ],
)
def test_a_network_that_gives_no_row(tmp_path, what, sentence):
    with pytest.raises(UnusableInputError, match=sentence):
        load_copy_model(save_torchscript(Fails(what), tmp_path / "other.pt"), "skew-320")


def test_numbers_that_are_not_finite(tmp_path):
    with pytest.raises(ScannerError, match=r"nan.pt gave an embedding that is not finite or has no length"):
        load_copy_model(save_torchscript(Fails("nan"), tmp_path / "nan.pt"), "skew-320")


def test_a_black_picture_that_leaves_nothing_is_said(torchscript):
    model = load_copy_model(torchscript, "skew-320")
    model._run = lambda _: np.zeros((1, WIDTH), np.float32)
    with pytest.raises(ScannerError, match="has no length"):
        model(photo_like(1, 60, 90))


def test_files_that_hold_no_network(tmp_path):
    weights, text, broken = (tmp_path / name for name in ("weights.pt", "notes.txt", "broken.onnx"))
    torch.save(Tiny().state_dict(), weights)
    text.write_text("no network")
    broken.write_bytes(b"\x08\x07 no network")
    with pytest.raises(UnusableInputError, match=r"weights.pt holds no TorchScript"):
        load_copy_model(weights, "skew-320")
    with pytest.raises(UnusableInputError, match=r"notes.txt is neither TorchScript \(a zip\) nor named .onnx"):
        load_copy_model(text, "skew-320")
    with pytest.raises(UnusableInputError, match=r"broken.onnx can't be read as ONNX"):
        load_copy_model(broken, "skew-320")
    with pytest.raises(UnusableInputError, match=r"There is no file .*missing.pt"):
        load_copy_model(tmp_path / "missing.pt", "skew-320")
    with pytest.raises(UnusableInputError, match="There is no preprocessing 'crop'; use skew-320 or small-288"):
        load_copy_model(weights, "crop")


def test_onnx_that_takes_or_gives_something_else(tmp_path):
    with pytest.raises(UnusableInputError, match=r"takes tensor\(float\) of shape \[8, 3, 'h', 'w'\]"):
        load_copy_model(save_onnx(tmp_path / "eight.onnx", (8, 3, "h", "w")), "skew-320")
    with pytest.raises(UnusableInputError, match=r"two.onnx has 1 inputs and 2 outputs"):
        load_copy_model(save_onnx(tmp_path / "two.onnx", outputs=2), "skew-320")


def test_onnx_with_its_weights_in_another_file(tmp_path):
    file = save_onnx(tmp_path / "tiny.onnx")
    model = onnx.load(file)
    onnx.save_model(model, file, save_as_external_data=True, location="tiny.data", size_threshold=0)
    with pytest.raises(UnusableInputError, match="keeps its weights in another file; export it again with external_da"):
        load_copy_model(file, "skew-320")


def test_onnx_without_onnxruntime(tmp_path, monkeypatch):
    true_import = builtins.__import__

    def without(name, *rest, **options):
        if name == "onnxruntime":
            raise ImportError(name)
        return true_import(name, *rest, **options)

    file = save_onnx(tmp_path / "tiny.onnx")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnusableInputError, match=r"needs onnxruntime; install it with pip install 'trainset-scanner\["):
        load_copy_model(file, "skew-320")
