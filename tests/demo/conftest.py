"""The data set of seed 0, built once for all tests of this folder."""

import pytest

from scanner.demo import build_demo, truth_path
from tests.demo.reading import Built, read_build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    path = build_demo(tmp_path_factory.mktemp("demo") / "data")
    return read_build(path, truth_path(path))
