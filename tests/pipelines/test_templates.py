"""Template families of an audit: one logo on six grounds is a family, six copies of a picture are a group."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli import app, exit_code_of
from scanner.run import Run
from scanner.tables import FAMILIES, GROUPS, MEMBERS, SAMPLES
from tests.duplicates.planted import draw, jpeg, light_edits, resized
from tests.duplicates.test_families import ground, stamped
from tests.samples.pictures import encode

LOGO = resized(draw(1, 150), 150)
OPTIONS = ["--model", "demo", "--threshold", "0.05", "--control", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logo on six grounds, one of which stands twice more; six edits of another ground, and three of their own."""
    folder = tmp_path_factory.mktemp("pictures")
    products = {f"product-{n}": stamped(ground(n), LOGO, 10 * n, 20 * n) for n in range(6)}
    products |= {f"product-0-{quality}": jpeg(products["product-0"], quality) for quality in (80, 60)}
    copies = {f"copy-{name}": picture for name, picture in list(light_edits(ground(10)).items())[:6]}
    for name, picture in (products | copies | {f"other-{n}": ground(n) for n in range(20, 23)}).items():
        (folder / f"{name}.png").write_bytes(encode(picture))
        (folder / f"{name}.txt").write_text(f"a caption of {name[:9]}")
    return folder


def audited(folder: Path, out: Path, *options: str) -> Run:
    assert exit_code_of(app, ["audit", str(folder), "--out", str(out), *OPTIONS, *options]) == 0
    return Run.open(out)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory) -> Run:
    return audited(folder, tmp_path_factory.mktemp("runs") / "run", "--close-looks", "8")


def keys(run: Run, rows: pl.DataFrame, by: str) -> list[list[str]]:
    named = rows.join(run.read(SAMPLES).select("sample_id", "key"), on="sample_id")
    return sorted(sorted(part) for part in named.group_by(by).agg("key")["key"].to_list())


def test_a_logo_is_a_family_and_copies_are_a_group(run):
    groups = keys(run, run.read(MEMBERS), "group_id")
    assert [len(group) for group in groups] == [6, 3]
    assert {key[:9] for key in groups[0]} == {key[:9] for key in groups[0] if key.startswith("copy-")}
    assert groups[1] == ["product-0", "product-0-60", "product-0-80"]
    families = keys(run, run.read(FAMILIES), "family_id")
    assert len(families) == 1
    assert [key[:9] for key in families[0]] == [f"product-{n}" for n in range(6)]


def test_a_member_says_how_many_rows_and_captions_it_stands_for(run):
    rows = run.read(FAMILIES).sort("copies", descending=True)
    assert rows["copies"].to_list() == [3, 1, 1, 1, 1, 1]
    group = run.read(GROUPS).filter(pl.col("copies") == 3)
    assert rows.row(0, named=True)["group_id"] == group["group_id"].item()
    assert rows["distinct_captions"].to_list() == [1] * 6
    assert sorted(rows["top_caption"]) == [f"a caption of product-{n}" for n in range(6)]
    assert run.manifest()["tables"]["families"] == 6


def test_the_report_shows_them_and_says_that_they_are_no_copies(run):
    report = json.loads((run.path / "report" / "report.json").read_text())
    templates = report["templates"]
    counted = {name: templates[name] for name in ("looked", "families", "pictures", "rows", "largest")}
    assert counted == {"looked": True, "families": 1, "pictures": 6, "rows": 8, "largest": 6}
    assert len(templates["most"][0]["members"]) == 6
    assert report["duplicates"]["rows"] == 9
    page = (run.path / "report" / "index.html").read_text()
    assert "These are not counted as copies" in page
    assert '<data value="6" data-path="templates.pictures">6</data>' in page


def test_without_close_looks_the_report_says_that_nobody_looked(folder, tmp_path):
    plain = audited(folder, tmp_path / "run", "--close-looks", "0")
    assert not FAMILIES.exists(plain.path)
    templates = json.loads((plain.path / "report" / "report.json").read_text())["templates"]
    assert not templates["looked"]
    assert templates["alike_but_for_a_part"] is not None
    page = (plain.path / "report" / "index.html").read_text()
    assert "<b>Not looked for.</b>" in page
    assert "--close-looks 4" in page
