"""The rooms' public names are those of `__all__`, and no others."""

import types

import pytest

from scanner import canaries, score


@pytest.mark.parametrize("room", [canaries, score])
def test_all_is_all(room) -> None:
    public = {
        name
        for name, value in vars(room).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(room.__all__)
