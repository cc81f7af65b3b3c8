"""The tiny pipelines of all families, each saved once per session when it is first asked for."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.targets.tiny_pipelines import save_family


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of a family's pipeline (a key of FAMILIES), not to be written into."""
    return cache(lambda family: save_family(family, tmp_path_factory.mktemp("family") / family))
