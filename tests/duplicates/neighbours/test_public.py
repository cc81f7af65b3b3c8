import doctest
import importlib

import numpy as np
import pytest

from scanner.duplicates import neighbours
from scanner.duplicates.neighbours import UnitRows
from scanner.duplicates.neighbours._bound import Heads, directions_of, leading


@pytest.mark.parametrize("module", ["_rows", "_bound", "_cells", "_screen", "_leaders", "_config", "_neighbours"])
def test_examples_in_docstrings_are_true(module: str) -> None:
    found = doctest.testmod(
        importlib.import_module(f"{neighbours.__name__}.{module}"),
        extraglobs={"np": np, "UnitRows": UnitRows, "Heads": Heads, "leading": leading, "directions_of": directions_of},
    )
    assert found.attempted
    assert not found.failed


def test_public_names() -> None:
    public = {name for name in vars(neighbours) if not name.startswith("_")}
    assert set(neighbours.__all__) == public
