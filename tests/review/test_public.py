"""The room's public names are those of `__all__`, and no others."""

import types

from scanner import review


def test_all_is_all() -> None:
    public = {
        name
        for name, value in vars(review).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(review.__all__)
