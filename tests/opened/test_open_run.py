"""`scanner.open_run`: tables, embeddings, pictures and summary of planted runs, also of older and unfinished ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import scanner
from scanner.carried import carried_frame, write_carried
from scanner.errors import UnusableInputError
from scanner.opened import OpenedRun
from scanner.run import Run
from scanner.tables import GROUPS, SAMPLES, TABLES
from tests.report.planted import Plan, make_run, picture, png, sample


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A planted run whose first two originals lie in a data set that is there."""
    folder = tmp_path_factory.mktemp("opened")
    (folder / "data").mkdir()
    (folder / "data" / "first.png").write_bytes(png(picture(0)))
    run = make_run(folder / "run", Plan(copies=(3, 2), extracted=(0,), singles=4, errors=2))
    header = (run.path / "run.json").read_text().replace("planted/", str(folder / "data"))
    (run.path / "run.json").write_text(header)
    first = pl.col("sample_id") == 0
    places = {
        "file": pl.when(first).then(pl.lit("first.png")).otherwise(pl.col("file")),
        "length": pl.when(first).then(None).otherwise(pl.col("length")),
    }
    SAMPLES.write(run.path, run.read(SAMPLES).with_columns(**places), part="00000")
    return run


@pytest.fixture(scope="module")
def opened(planted: Run) -> OpenedRun:
    return scanner.open_run(str(planted.path))


def test_every_table_is_a_lazy_frame_with_its_documented_columns(opened: OpenedRun) -> None:
    for name, table in TABLES.items():
        frame = getattr(opened, name)
        assert isinstance(frame, pl.LazyFrame)
        assert frame.collect_schema() == table.schema, name
        assert frame.collect().equals(opened.table(name).collect())
        assert name in dir(opened)
    assert opened.groups.select("group_id", "copies").collect().rows() == [(0, 3), (3, 2)]
    assert opened.families.collect().height == 0


def test_the_tables_are_listed_with_their_documentation(opened: OpenedRun) -> None:
    rows = dict(opened.tables.select("table", "rows").iter_rows())
    assert list(rows) == list(TABLES)
    assert (rows["samples"], rows["groups"], rows["prompts"], rows["families"]) == (9, 2, 6, None)
    meaning = dict(opened.columns("groups").select("column", "meaning").iter_rows())
    assert meaning["copies"] == "rows of the data set in the group"


def test_a_name_that_is_no_table_is_refused(opened: OpenedRun) -> None:
    with pytest.raises(UnusableInputError, match=r"no table 'grops'; its tables are files, samples"):
        opened.table("grops")
    with pytest.raises(AttributeError, match="no table or property 'grops'"):
        _ = opened.grops


def test_configuration_manifest_and_path(opened: OpenedRun, planted: Run) -> None:
    assert opened.path == planted.path
    assert opened.config["seed"] == 7
    assert opened.attack_config is not None
    assert opened.attack_config["steps"] == 20
    assert opened.manifest["tables"]["groups"] == 2


def test_a_run_shows_itself(opened: OpenedRun, planted: Run) -> None:
    assert repr(opened).splitlines() == [
        f"run        {planted.path}",
        f"data set   {planted.path.parent / 'data'}",
        "rows       9 read, 2 in the ledger",
        "duplicates 5 rows in 2 groups, the largest of 3",
        "prompts    2 in the risk arm, 4 controls",
        "attack     on planted-model/: 5 prompts attacked, 1 verified (both arms)",
    ]
    assert "<td" in opened._repr_html_()


def test_the_html_escapes_what_strangers_named(tmp_path: Path) -> None:
    Run.claim(tmp_path / "run", {"dataset": "<script>alert(1)</script>"})
    shown = scanner.open_run(tmp_path / "run")
    assert "<script>" not in shown._repr_html_()
    assert "(the audit is not finished)" in repr(shown)
    assert "attack     none" in repr(shown)
    assert shown.samples.collect().height == 0


def test_a_picture_is_read_from_the_data_set_and_its_thumbnail_from_the_run(opened: OpenedRun) -> None:
    assert np.array_equal(np.asarray(opened.image(0)), picture(0))
    small = Image.fromarray(picture(0)).resize((32, 32), Image.Resampling.BOX)
    assert np.array_equal(np.asarray(opened.thumbnail(0)), np.asarray(small))


def test_a_picture_that_is_gone_is_a_sentence(opened: OpenedRun) -> None:
    with pytest.raises(UnusableInputError, match=r"sample 1 can't be had .*00000.tar.*run.thumbnail\(1\)"):
        opened.image(1)
    with pytest.raises(UnusableInputError, match="has no sample 999"):
        opened.image(999)
    with pytest.raises(UnusableInputError, match="has no sample 999"):
        opened.thumbnail(999)


def test_a_row_without_a_picture_is_a_sentence(tmp_path: Path) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": str(tmp_path)})
    bare = sample(0, 0, "a caption", pixel_sha256=None, thumbnail=None, file=None)
    SAMPLES.write(run.path, SAMPLES.frame([bare]), part="00000")
    with pytest.raises(UnusableInputError, match="no image"):
        scanner.open_run(run.path).image(0)
    with pytest.raises(UnusableInputError, match="no picture"):
        scanner.open_run(run.path).thumbnail(0)


def test_a_run_of_an_older_version_opens_with_nulls_in_the_newer_columns(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(3, 2), extracted=(), singles=4, attacked=False))
    GROUPS.read(run.path).drop("near_captions", "near_top_share").write_parquet(run.path / GROUPS.path)
    whole = SAMPLES.read(run.path)
    whole.head(4).drop("offset", "length").write_parquet(run.path / "samples" / "00000.parquet")
    SAMPLES.write(run.path, whole.tail(5), part="00001")
    opened = scanner.open_run(run.path)
    assert opened.groups.collect()["near_captions"].to_list() == [None, None]
    assert opened.samples.select("length").collect().to_series().to_list() == [None] * 4 + [1] * 5


def test_a_run_of_a_newer_version_opens_without_the_columns_that_are_not_known(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(3,), extracted=(), singles=4, attacked=False))
    GROUPS.read(run.path).with_columns(later=1).write_parquet(run.path / GROUPS.path)
    assert scanner.open_run(run.path).groups.collect().columns == list(GROUPS.columns)


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    """A run of two shards with three and two embeddings, counted up."""
    run = Run.claim(tmp_path / "run", {"dataset": "x/"})
    for part, base, rows in (("00000", 0, 3), ("00001", 2**32, 2)):
        SAMPLES.write(run.path, SAMPLES.frame(sample(base + i, i, None) for i in range(rows)), part=part)
        (run.path / "embeddings").mkdir(exist_ok=True)
        np.save(
            run.path / "embeddings" / f"{part}.npy", np.arange(rows * 2, dtype=np.float16).reshape(rows, 2) + base % 7
        )
    return run.path


def test_embeddings_are_mapped_and_row_i_has_its_sample_id(embedded: Path) -> None:
    vectors = scanner.open_run(embedded).embeddings
    assert vectors.sample_ids.tolist() == [0, 1, 2, 2**32, 2**32 + 1]
    assert (vectors.shape, len(vectors)) == ((5, 2), 5)
    whole = np.asarray(vectors)
    assert vectors[3].tolist() == whole[3].tolist()
    assert np.array_equal(vectors[1:4], whole[1:4])
    assert np.array_equal(vectors[[4, 0]], whole[[4, 0]])
    assert vectors[-1].tolist() == whole[4].tolist()
    assert np.array_equal(vectors.of(pl.Series([2**32 + 1, 0])), whole[[4, 0]])
    assert [(ids.tolist(), type(block)) for ids, block in vectors.parts()] == [
        ([0, 1, 2], np.memmap),
        ([2**32, 2**32 + 1], np.memmap),
    ]
    assert repr(vectors) == "RunEmbeddings of 5 rows, 2 numbers each (float16, in 2 files)"
    with pytest.raises(UnusableInputError, match="no embedding of sample 7"):
        vectors.of([7])


def test_a_run_without_embeddings_has_none(tmp_path: Path) -> None:
    Run.claim(tmp_path / "run", {"dataset": "x/"})
    vectors = scanner.open_run(tmp_path / "run").embeddings
    assert (len(vectors), vectors.shape, vectors.sample_ids.tolist()) == (0, (0, 0), [])


def test_carried_columns_are_lazy(embedded: Path) -> None:
    assert scanner.open_run(embedded).carried.collect().columns == ["sample_id"]
    write_carried(embedded, "00000", carried_frame([0], [{"punsafe": 1}], ["punsafe"]))
    write_carried(embedded, "00001", carried_frame([2**32], [{"punsafe": 0.5}], ["punsafe"]))
    carried = scanner.open_run(embedded).carried
    assert isinstance(carried, pl.LazyFrame)
    assert carried.collect().rows() == [(0, 1.0), (2**32, 0.5)]


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="not a run directory"):
        scanner.open_run(tmp_path)


def test_importing_the_library_is_quick_and_loads_no_table() -> None:
    light = "assert not {'polars', 'torch', 'numpy'} & set(sys.modules); assert callable(scanner.open_run)"
    opened = "import scanner.opened; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", f"import sys, scanner; {light}; {opened}"], check=True)
