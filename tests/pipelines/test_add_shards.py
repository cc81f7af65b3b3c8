"""`--add-shards`: a data set that has gained shards is searched for what is new, and the groups are those of all."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipelines.audit import audit
from pipelines.changes import begins, pin_files
from pipelines.configs import AuditConfig, AuditExtras
from pipelines.engines import LocalEngine
from scanner.demo import demo_pictures
from scanner.duplicates import DuplicateSearch
from scanner.errors import UnusableInputError
from scanner.fingerprints import Fingerprinter
from scanner.run import Run
from scanner.samples import Options, open_url_list
from scanner.tables import FEATURES, FILES, MEMBERS, PAIRS, PROMPTS, SAMPLES
from tests.duplicates.planted import draw, light_edits

CONFIG = AuditConfig(model="demo", control=4, threshold=0.7)
MORE = AuditExtras(add_shards=True)


def encoded(picture: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def write_tar(path: Path, pictures: list[np.ndarray]) -> None:
    with tarfile.open(path, "w") as tar:
        for row, picture in enumerate(pictures):
            for ending, content in (("png", encoded(picture)), ("txt", f"caption of {path.stem} {row}".encode())):
                member = tarfile.TarInfo(f"{path.stem}{row:04d}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def edit(number: int, name: str) -> np.ndarray:
    return light_edits(draw(number))[name]


FIRST = {
    "m": [*map(draw, range(8)), edit(0, "q75")],
    "p": [draw(8), draw(1), edit(2, "half")],
}
SECOND = {  # sorts before, between and after: copies across, exact copies, and groups of its own
    "a": [edit(3, "q75"), draw(20), edit(20, "q30"), draw(4), draw(21)],
    "n": [edit(0, "half"), draw(22)],
    "z": [draw(22), edit(8, "brighter"), draw(23)],
}
THIRD = {"b": [edit(23, "q75"), draw(5), draw(30)]}
GROUPS = [
    ["m0000", "m0008", "n0000"],
    ["m0001", "p0001"],
    ["m0002", "p0002"],
    ["a0000", "m0003"],
    ["a0003", "m0004"],
    ["p0000", "z0001"],
    ["a0001", "a0002"],
    ["n0001", "z0000"],
]


def add(folder: Path, shards: dict[str, list[np.ndarray]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, pictures in shards.items():
        write_tar(folder / f"{name}.tar", pictures)
    return folder


def grouped(run: Run) -> list[list[str]]:
    rows = run.read(MEMBERS).join(run.read(SAMPLES).select("sample_id", "key"), on="sample_id")
    return sorted(sorted(part) for part in rows.group_by("group_id").agg("key")["key"].to_list())


def state(run: Run) -> dict[str, tuple[int, bytes]]:
    folders = [run.path / PAIRS.path, run.path / SAMPLES.path, run.path / "embeddings"]
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for at in folders for file in at.iterdir()}


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Run:
    folder = add(tmp_path_factory.mktemp("first") / "data", FIRST)
    return audit(folder, folder.parent / "run", CONFIG, LocalEngine())


@pytest.fixture
def copied(first, tmp_path) -> tuple[Path, Path]:
    """The data set of the first audit, and its run, where they may be changed."""
    shutil.copytree(first.path.parent, tmp_path / "all")
    header = tmp_path / "all" / "run" / "run.json"
    header.write_text(header.read_text().replace(str(first.path.parent), str(tmp_path / "all")))
    return tmp_path / "all" / "data", tmp_path / "all" / "run"


def test_the_groups_are_those_of_an_audit_of_everything(copied, tmp_path, monkeypatch):
    data, out = copied
    before = state(Run.open(out))
    add(data, SECOND)
    read: list[str] = []
    stage = Fingerprinter.__call__
    monkeypatch.setattr(
        Fingerprinter, "__call__", lambda self, all_, shard: read.append(shard.name) or stage(self, all_, shard)
    )
    grown = audit(data, out, CONFIG, LocalEngine(), extras=MORE)
    assert read == ["a", "n", "z"]
    assert grouped(grown) == sorted(GROUPS)
    after = state(grown)
    assert {file: after[file] for file in before} == before
    new = [Path(file).stem for file in after.keys() - before.keys() if PAIRS.path in file]
    assert new
    assert all(part.startswith("added-1-") for part in new)
    ids = pl.concat([pl.read_parquet(out / PAIRS.path / f"{part}.parquet") for part in new])
    assert (ids["right"] >= 2 << 32).all()
    assert begins(grown) == [12]
    assert grown.manifest()["parts"]["audit"]["added"] == [8]
    shards = grown.read(FILES).select("shard", "number", "added").unique().sort("number").rows()
    assert shards == [("m", 0, 0), ("p", 1, 0), ("a", 2, 1), ("n", 3, 1), ("z", 4, 1)]
    fresh = audit(data, tmp_path / "fresh", CONFIG, LocalEngine())
    assert grouped(fresh) == grouped(grown)
    assert fresh.read(PROMPTS)["caption"].len() == grown.read(PROMPTS)["caption"].len()


def test_several_additions_one_after_the_other_and_resumed(copied):
    data, out = copied
    audit(add(data, SECOND), out, CONFIG, LocalEngine(), extras=MORE)
    run = audit(add(data, THIRD), out, CONFIG, LocalEngine(), extras=MORE)
    assert grouped(run) == sorted([*GROUPS, ["b0000", "z0002"], ["b0001", "m0005"]])
    assert begins(run) == [12, 22]
    before = state(run)
    for part in [*(out / PAIRS.path).glob("added-2-*"), *(out / PAIRS.path).glob("added-1-hash-0*")]:
        part.unlink()
    run.reopen()
    again = audit(data, out, CONFIG, LocalEngine())
    assert {file: content for file, (_, content) in state(again).items()} == {
        file: content for file, (_, content) in before.items()
    }
    assert grouped(again) == grouped(run)


class Stopped(BaseException):
    """What a kill is to the code: nothing after it runs."""


@pytest.mark.parametrize("at", ["n", "added-1-cosine-00000", "added-1-hash-00000"])
def test_an_addition_that_was_killed_goes_on_where_it_was(copied, monkeypatch, at):
    data, out = copied
    add(data, SECOND)
    whole = Fingerprinter.__call__, DuplicateSearch.search

    def stop(found, place, *rest):
        if at in (place, getattr(rest[0], "name", None) if rest else None):
            raise Stopped
        return whole[bool(not rest)](found, place, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Fingerprinter, "__call__", stop)
        patched.setattr(DuplicateSearch, "search", stop)
        with pytest.raises(Stopped):
            audit(data, out, CONFIG, LocalEngine(), extras=MORE)
    assert Run.open(out).manifest() == {}
    kept = state(Run.open(out))
    run = audit(data, out, CONFIG, LocalEngine())
    assert grouped(run) == sorted(GROUPS)
    assert begins(run) == [12]
    after = state(run)
    assert {file: after[file] for file in kept} == kept


def test_a_run_that_was_stopped_before_its_pairs_reads_the_new_shards_with_the_others(copied):
    data, out = copied
    shutil.rmtree(out / PAIRS.path)
    (out / SAMPLES.path / "00001.parquet").unlink()
    run = audit(add(data, SECOND), out, CONFIG, LocalEngine(), extras=MORE)
    assert begins(run) == []
    assert grouped(run) == sorted(GROUPS)
    assert not list((out / PAIRS.path).glob("added*"))


def test_a_shard_that_failed_comes_with_the_addition(copied):
    data, out = copied
    (out / SAMPLES.path / "00001.parquet").unlink()
    run = audit(add(data, SECOND), out, CONFIG, LocalEngine(), extras=MORE)
    assert begins(run) == [9]
    assert grouped(run) == sorted(GROUPS)
    numbers = dict(run.read(FILES).select("shard", "number").rows())
    assert numbers == {"m": 0, "p": 2, "a": 3, "n": 4, "z": 5}


def changed(data: Path) -> None:
    write_tar(data / "m.tar", [draw(77)])


def vanished(data: Path) -> None:
    (data / "p.tar").unlink()


def beside(data: Path) -> None:
    pl.DataFrame({"key": ["m0000"], "status": ["success"]}).write_parquet(data / "m.parquet")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed, "m.tar has changed since"),
        (vanished, "now not there"),
        (beside, "m.parquet is new in a part .*its shard m"),
    ],
    ids=["changed", "vanished", "beside"],
)
def test_what_is_not_a_new_shard_is_refused(copied, spoil, sentence):
    data, out = copied
    spoil(add(data, THIRD))
    with pytest.raises(UnusableInputError, match=sentence):
        audit(data, out, CONFIG, LocalEngine(), extras=MORE)


def test_new_shards_are_refused_without_the_flag_and_where_they_cannot_be_added(copied):
    data, out = copied
    add(data, THIRD)
    with pytest.raises(UnusableInputError, match=r"b.tar is new since .*give --add-shards"):
        audit(data, out, CONFIG, LocalEngine())
    with pytest.raises(UnusableInputError, match=r"another configuration \(control differ"):
        audit(data, out, AuditConfig(model="demo", control=5, threshold=0.7), LocalEngine(), extras=MORE)
    Run.open(out).claim_part("attack", {"target": "x"})
    with pytest.raises(UnusableInputError, match="under attack"):
        audit(data, out, CONFIG, LocalEngine(), extras=MORE)


def test_a_new_image_in_a_folder_that_was_read_is_refused(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(draw(number)).save(folder / f"{number}.png")
    audit(folder, tmp_path / "run", CONFIG, LocalEngine())
    (folder / "more").mkdir()
    Image.fromarray(edit(1, "half")).save(folder / "more" / "a.png")
    assert grouped(audit(folder, tmp_path / "run", CONFIG, LocalEngine(), extras=MORE)) == [["1", "a"]]
    Image.fromarray(draw(9)).save(folder / "9.png")
    with pytest.raises(UnusableInputError, match=r"9.png is new in a part .*its shard \..*folder or file of its own"):
        audit(folder, tmp_path / "run", CONFIG, LocalEngine(), extras=MORE)


def test_a_list_of_urls_takes_no_more_rows(tmp_path):
    urls = pl.DataFrame({"url": ["http://localhost/1.png"], "caption": ["one"]})
    (tmp_path / "list").mkdir()
    urls.write_parquet(tmp_path / "list" / "0.parquet")
    run = Run.claim(tmp_path / "run", {"layout": "urls"})
    pin_files(run, open_url_list(tmp_path / "list", Options()))
    urls.write_parquet(tmp_path / "list" / "1.parquet")
    with pytest.raises(UnusableInputError, match=r"1.parquet is new .*can't be added to a list of URLs"):
        pin_files(run, open_url_list(tmp_path / "list", Options()), add_shards=True)


def test_a_run_with_a_limit_takes_no_more_rows(tmp_path):
    config = AuditConfig(model="demo", control=4, threshold=0.7, limit=50)
    data = add(tmp_path / "data", THIRD)
    audit(data, tmp_path / "run", config, LocalEngine())
    with pytest.raises(UnusableInputError, match="--limit reads no more rows"):
        audit(add(data, {"c": [draw(3)]}), tmp_path / "run", config, LocalEngine(), extras=MORE)


def test_files_of_a_run_that_did_not_number_its_shards_are_numbered(copied):
    data, out = copied
    old = FILES.read(out).drop("number", "added")
    old.write_parquet(out / FILES.path)
    assert begins(Run.open(out)) == []
    run = audit(add(data, SECOND), out, CONFIG, LocalEngine(), extras=MORE)
    assert grouped(run) == sorted(GROUPS)
    assert begins(run) == [12]


def test_close_looks_are_made_of_what_is_new_and_the_old_ones_kept(tmp_path):
    config = AuditConfig(model="demo", close_looks=4, threshold=0.4, control=4)
    chosen = demo_pictures().filter(pl.col("family").is_null()).sort("picture")["webp"][100:106]
    pictures = [np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in chosen]
    data = add(tmp_path / "data", {"m": [*pictures, pictures[0][:, ::-1]]})
    run = audit(data, tmp_path / "run", config, LocalEngine())
    assert grouped(run) == [["m0000", "m0006"]]
    looks = {file: file.read_bytes() for at in (PAIRS, FEATURES) for file in (run.path / at.path).iterdir()}
    height, width = pictures[0].shape[:2]
    add(data, {"a": [pictures[1][:, ::-1], pictures[0][: height * 2 // 3, : width * 2 // 3]]})
    grown = audit(data, run.path, config, LocalEngine(), extras=MORE)
    assert grouped(grown) == [["a0000", "m0001"], ["a0001", "m0000", "m0006"]]
    assert {file: file.read_bytes() for file in looks} == looks
    described = grown.read(FEATURES)["sample_id"]
    assert described.is_duplicated().sum() == 0
    assert list((run.path / PAIRS.path).glob("added-1-geometry-*"))
