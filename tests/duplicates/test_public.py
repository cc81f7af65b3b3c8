import scanner.duplicates


def test_public_names() -> None:
    names = [name for name in vars(scanner.duplicates) if not name.startswith("_")]
    assert sorted(names) == sorted(scanner.duplicates.__all__)
