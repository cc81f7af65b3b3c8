"""The detectors' arithmetic against slow obvious versions of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scanner.triage._anisotropy import channel_cosine
from scanner.triage._bright_ending import finest
from scanner.triage._jeon import derivative
from scanner.triage._seeded import root_mean_square
from scanner.triage._webster_edges import EDGE, brought_to, edge_agreement, edge_map

small = st.floats(-10, 10, width=32)


@given(arrays(np.float32, (3, 2, 4, 4), elements=small))
def test_root_mean_square(values):
    slow = [np.sqrt(sum(float(v) ** 2 for v in one.ravel()) / one.size) for one in values]
    assert root_mean_square(torch.from_numpy(values)).numpy() == pytest.approx(slow)


@given(arrays(np.float32, (2, 3, 2, 2), elements=small), arrays(np.float32, (2, 3, 2, 2), elements=small))
def test_channel_cosine(a, b):
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    for i, found in enumerate(channel_cosine(torch.from_numpy(a), torch.from_numpy(b))):
        places = []
        for y in range(2):
            for x in range(2):
                u, v = wide_a[i, :, y, x], wide_b[i, :, y, x]
                places.append(u @ v / (max(np.linalg.norm(u), 1e-8) * max(np.linalg.norm(v), 1e-8)))
        assert float(found) == pytest.approx(np.mean(places), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(arrays(np.float64, (4, 4), elements=st.floats(-2, 2)), arrays(np.float64, 4, elements=st.floats(-2, 2)))
def test_a_derivative_along_a_direction_is_the_jacobian_times_it(matrix, direction):
    weights, along = torch.from_numpy(matrix), torch.from_numpy(direction)

    def function(x):
        return torch.sin(weights @ x)

    at = torch.linspace(-1, 1, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(function, at)
    assert torch.allclose(derivative(function, at, along=along), jacobian @ along)


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, (5, 6, 3), elements=st.floats(0, 1, width=32)))
def test_edges_are_where_the_published_operator_is_above_its_threshold(image):
    """Sobel: differences along one axis, 1 2 1 along the others, the colours among them, mirrored at the borders."""
    padded = np.pad(image.astype(np.float64), 1, mode="symmetric")
    smooth = np.array([1, 2, 1])
    height, width, colours = image.shape
    for y in range(height):
        for x in range(width):
            total = 0.0
            for c in range(colours):
                block = padded[y : y + 3, x : x + 3, c : c + 3]
                along_y = np.einsum("ijk,j,k->i", block, smooth, smooth)
                along_x = np.einsum("ijk,i,k->j", block, smooth, smooth)
                total += np.hypot(along_y[2] - along_y[0], along_x[2] - along_x[0])
            if abs(total - EDGE) > 1e-6:
                assert edge_map(image)[y, x] == (total > EDGE)


def square(at: int, shade: float = 1.0) -> np.ndarray:
    image = np.zeros((256, 256, 3), np.float32)
    image[at : at + 80, at : at + 80] = shade
    return image


def test_edges_agree_where_more_than_half_of_the_images_have_them():
    alike, other, third = square(30), square(150), square(90)
    alone = edge_map(alike).mean()
    assert edge_agreement([alike] * 4) == pytest.approx(alone)
    assert edge_agreement([alike, alike, alike, other]) == pytest.approx(alone), "three of four"
    assert edge_agreement([alike, alike, other, other]) == 0, "two of four are no majority"
    assert edge_agreement([alike, other, third]) < 0.05 * alone, "only where outlines cross"
    assert edge_agreement([np.zeros_like(alike)] * 4) == 0
    assert np.isnan(edge_agreement([alike]))


def test_images_of_any_size_are_compared_at_256_pixels():
    small_image = np.zeros((64, 64, 3), np.float32)
    small_image[16:48, 16:48] = 1
    assert brought_to(small_image, 256).shape == (256, 256, 3)
    large = np.kron(small_image, np.ones((4, 4, 1), np.float32))
    assert edge_agreement([small_image] * 2) == pytest.approx(edge_map(brought_to(small_image, 256)).mean())
    assert edge_agreement([small_image] * 2) > edge_agreement([large] * 2) > 0.01, "its outline is wider, enlarged"


def test_the_finest_maps_are_averaged_and_enlarged():
    coarse = torch.full((1, 1), 9.0)
    fine = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    found = finest([coarse, fine, fine + 2], side=4)
    assert found.shape == (1, 1, 4, 4)
    assert found[0, 0].tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
