"""Building: the same bytes every time, over an earlier build too, and nothing of anybody else's overwritten."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import scanner.demo
from scanner.demo import build_demo, demo_pictures, target_folder, truth_path
from scanner.demo._pictures import demo_links
from scanner.demo._plan import plan_rows
from scanner.errors import UnusableInputError
from tests.demo.reading import Built

ROWS_OF_SEED_0 = "cf9e622224830e45352b3eef8f52f8a6173e282b122d0d3835440c2c31a535ce"
"""sha-256 of the rows that the demo's target was trained on; when it changes, the target has to be trained again."""


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_another_process_writes_the_same_files_over_the_remains_of_a_build(built: Built, tmp_path: Path) -> None:
    out, table = tmp_path / "data", tmp_path / "answers.parquet"
    out.mkdir()
    (out / "00001.tar").write_bytes(b"cut off")
    (out / "00001_stats.json").write_text("{}")
    program = (
        "import sys; from pathlib import Path; from scanner.demo import build_demo;"
        "build_demo(Path(sys.argv[1]), seed=0, truth_table=Path(sys.argv[2]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, str(out), str(table)], env=environment, check=True)
    assert digests(out) == digests(built.path)
    assert times(out) == times(built.path)
    assert table.read_bytes() == truth_path(built.path).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.parquet", "data"]


def test_the_build_writes_its_shards_and_the_truth_beside_them(built: Built) -> None:
    endings = (".parquet", ".tar", "_stats.json")
    expected = [f"{shard:05d}{ending}" for shard in range(5) for ending in endings]
    assert sorted(path.name for path in built.path.iterdir()) == sorted(expected)
    assert sorted(path.name for path in built.path.parent.iterdir()) == ["data", "data-truth.parquet"]


def test_rows_are_those_that_the_target_was_trained_on(built: Built) -> None:
    rows = built.rows.join(built.truth, on=["shard", "key"], how="left", maintain_order="left")
    columns = ("shard", "key", "url", "caption", "picture", "kind")
    text = "\n".join("\t".join(map(str, row)) for row in rows.select(columns).iter_rows())
    assert hashlib.sha256(text.encode()).hexdigest() == ROWS_OF_SEED_0


def test_another_seed_plans_other_rows_of_the_same_sizes() -> None:
    plans = [plan_rows(demo_pictures(), demo_links(), seed) for seed in (0, 0, 1)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]
    first, other = ({row.picture for row in plan if row.group_copies == 256} for plan in plans[::2])
    assert (len(first), len(other)) == (3, 3)
    assert first != other


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "data"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    (out / "00000.tar").write_text("mine too")
    with pytest.raises(UnusableInputError, match=r"data holds something else than demo data; name a new or an empty"):
        build_demo(out)
    assert {path.name: path.read_text() for path in out.iterdir()} == {"thesis.txt": "mine", "00000.tar": "mine too"}
    assert not truth_path(out).exists()


def test_a_file_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "data"
    out.write_text("mine")
    with pytest.raises(UnusableInputError, match="holds something else"):
        build_demo(out)
    assert out.read_text() == "mine"


def test_the_truth_may_not_lie_where_the_scanner_reads(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="put the truth table outside"):
        build_demo(tmp_path / "data", truth_table=tmp_path / "data" / "truth.parquet")
    assert not (tmp_path / "data").exists()


def test_the_public_names_are_there() -> None:
    assert scanner.demo.__all__ == ["build_demo", "demo_pictures", "target_folder", "truth", "truth_path"]
    assert all(callable(getattr(scanner.demo, name)) for name in scanner.demo.__all__)
    assert target_folder().parent == Path(scanner.demo.__file__).parent
