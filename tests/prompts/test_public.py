import scanner.prompts


def test_public_names() -> None:
    names = [name for name in vars(scanner.prompts) if not name.startswith("_")]
    assert sorted(names) == sorted(scanner.prompts.__all__)
