from pathlib import Path

import pytest

from scanner.files import replacing


def test_a_file_takes_its_place_when_the_block_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "new" / "list.txt"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["list.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("old")

    def half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space"):
        half()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("list.txt", "old")]
