"""`--add-shards` and `--against` on data sets of embeddings alone, where the cosine decides; and on what is empty."""

import shutil

import numpy as np
import pytest

from pipelines.audit import audit
from pipelines.configs import AuditConfig, AuditExtras
from pipelines.engines import LocalEngine
from pipelines.report import report
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import MATCHES, MEMBERS, PAIRS, SAMPLES
from tests.samples.embedded import names, turned, unit, write_clip_retrieval

CONFIG = AuditConfig(control=2)


def planted() -> np.ndarray:
    """60 rows: 20 and 50 are row 0, 30 is nearly row 1, 45 nearly row 42, 59 not near enough to row 2."""
    rows = unit(60, 64)
    rows[20] = rows[50] = rows[0]
    rows[30], rows[45], rows[59] = turned(rows[1], 0.97), turned(rows[42], 0.97), turned(rows[2], 0.93)
    return rows


def write(folder, cuts: tuple[int, ...]):
    rows = planted()
    spans = list(zip((0, *cuts), cuts, strict=False))
    return write_clip_retrieval(folder, [(rows[a:b], names(b - a, a)) for a, b in spans], 10)


def grouped(run: Run) -> list[list[int]]:
    rows = run.read(MEMBERS).join(run.read(SAMPLES).select("sample_id", "key"), on="sample_id")
    return sorted(sorted(map(int, keys)) for keys in rows.group_by("group_id").agg("key")["key"].to_list())


def against(other: Run) -> AuditExtras:
    return AuditExtras(against=str(other.path))


def test_new_parts_are_searched_and_the_old_ones_kept(tmp_path):
    full, data = write(tmp_path / "full", (15, 25, 40, 60)), tmp_path / "data"
    shutil.copytree(full, data, ignore=shutil.ignore_patterns("*_02.*", "*_03.*"))
    run = audit(data, tmp_path / "run", CONFIG, LocalEngine())
    assert grouped(run) == [[0, 20]]
    before = {file: file.read_bytes() for file in (run.path / PAIRS.path).iterdir()}
    shutil.copytree(full, data, dirs_exist_ok=True)
    grown = audit(data, run.path, CONFIG, LocalEngine(), extras=AuditExtras(add_shards=True))
    assert grouped(grown) == [[0, 20, 50], [1, 30], [42, 45]]
    assert {file: file.read_bytes() for file in before} == before
    assert grown.manifest()["parts"]["audit"]["added"] == [34]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Run, Run]:
    """The first 30 rows, and the others, each audited."""
    top, rows = tmp_path_factory.mktemp("blind"), planted()
    sets = {"first": (0, 30), "second": (30, 60)}
    for name, (start, stop) in sets.items():
        write_clip_retrieval(top / name, [(rows[start:stop], names(stop - start, start))], 1)
    one, two = (audit(top / name, top / f"run-{name}", CONFIG, LocalEngine()) for name in sets)
    return one, two


def matched(run: Run) -> list[tuple[int, int, str]]:
    rows = run.read(MATCHES).join(run.read(SAMPLES), on="sample_id").select("key", "other_key", "look").rows()
    return [(int(key), int(other), look) for key, other, look in rows]


def test_the_cosine_finds_what_is_in_both(runs):
    run = audit(runs[0].config["dataset"], runs[0].path, CONFIG, LocalEngine(), extras=against(runs[1]))
    assert matched(run) == [(0, 50, "similarity"), (1, 30, "similarity"), (20, 50, "similarity")]
    assert "by the cosine of their embeddings alone" in report(run).read_text(encoding="utf-8")


def test_a_set_is_wholly_in_itself(runs, tmp_path):
    run = audit(runs[1].config["dataset"], tmp_path / "run", CONFIG, LocalEngine(), extras=against(runs[1]))
    rows = matched(run)
    assert [key for key, _, _ in rows] == list(range(30, 60))
    assert [key for key, other, _ in rows if key != other] == []


def test_a_run_without_rows_holds_nothing(runs, tmp_path):
    nothing = AuditConfig(control=2, where="similarity < 0")
    empty = audit(runs[0].config["dataset"], tmp_path / "empty", nothing, LocalEngine())
    for config, one, other in ((CONFIG, runs[1], empty), (nothing, empty, runs[1])):
        run = audit(
            one.config["dataset"], tmp_path / f"of-{one.path.name}", config, LocalEngine(), extras=against(other)
        )
        assert matched(run) == []
        assert "No row of this set shows a picture of" in report(run).read_text(encoding="utf-8")


def test_embeddings_of_another_width_are_refused(runs, tmp_path):
    shutil.copytree(runs[0].config["dataset"], tmp_path / "wide")
    write_clip_retrieval(tmp_path / "wide", [(unit(30, 32), names(30))], 1)
    with pytest.raises(UnusableInputError, match="other weights or arrays of the data set's own"):
        audit(tmp_path / "wide", tmp_path / "run", CONFIG, LocalEngine(), extras=against(runs[1]))
