"""The adaptive distance: its ends, and what it is beside a published re-implementation of it."""

import numpy as np
import pytest
import torch

from scanner.attack import ALPHA, NEIGHBOURS, Neighbourhood


def reimplemented(image: torch.Tensor, training: torch.Tensor, n: int = 50, alpha: float = 0.5) -> float:
    """As re-implementations have it: the nearest of the n smallest distances over alpha times their mean."""
    nearest = torch.cdist(image[None], training).topk(n, largest=False).values[0]
    return float(nearest.min() / (alpha * nearest.mean()))


def test_it_is_the_papers() -> None:
    rng = np.random.default_rng(0)
    training, image = rng.random((80, 12)), rng.random(12)
    distances = np.sort(np.sqrt(np.mean((training - image) ** 2, axis=1)))[:NEIGHBOURS]
    ours = Neighbourhood(sample_id=0, l2=float(distances[0]), mean_l2=float(distances.mean())).adaptive_l2
    assert ours == pytest.approx(reimplemented(torch.tensor(image), torch.tensor(training)))


def test_its_ends() -> None:
    assert Neighbourhood(sample_id=0, l2=0.0, mean_l2=0.2).adaptive_l2 == 0
    assert Neighbourhood(sample_id=0, l2=0.2, mean_l2=0.2).adaptive_l2 == 1 / ALPHA
    assert Neighbourhood(sample_id=0, l2=0.0, mean_l2=0.0).adaptive_l2 == 1 / ALPHA
