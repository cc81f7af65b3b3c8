from types import ModuleType

import scanner.duplicates


def test_public_names() -> None:
    found = {name: value for name, value in vars(scanner.duplicates).items() if not name.startswith("_")}
    names = [name for name, value in found.items() if not isinstance(value, ModuleType)]
    assert sorted(names) == sorted(scanner.duplicates.__all__)
