"""A small cut of the demo's data set, audited and attacked once for all tests that look at the result."""

import io
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AttackOptions, AuditConfig
from pipelines.engines import LocalEngine
from scanner.demo import build_demo, target_folder, truth, truth_path
from scanner.run import Run

Scanner = Callable[..., tuple[int, str, str]]
AUDIT = AuditConfig(model="demo", control=40)
ATTACK = AttackOptions(prompts=4, control=12, seeds=4, steps=12, search_steps="2", guidance=3.0, evidence=10, rate=0.5)
COPIES, SINGLES = 12, 100
ATTACK_FILES = ("generations", "originals", "attack.json", "triage*", "candidates.parquet", "hits.parquet", "report")


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_demo(tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture(scope="session")
def small_truth(demo_data: Path) -> pl.DataFrame:
    """The rows of the cut: a dozen copies of four heavy pictures with one caption each, and a hundred singles."""
    rows = truth(truth_path(demo_data))
    heavy = rows.filter(pl.col("agreeing"), pl.col("group_copies") >= 64, pl.col("caption_kind") == "one")
    wanted = heavy["picture"].unique().sort().head(4)
    copies = heavy.filter(pl.col("picture").is_in(wanted.implode()), ~pl.col("kind").str.contains("broken|failed"))
    copies = copies.group_by("picture", maintain_order=True).head(COPIES)
    singles = rows.filter(pl.col("kind") == "single", pl.col("caption_kind") == "one").head(SINGLES)
    return pl.concat([copies.select(rows.columns), singles]).sort("key")


@pytest.fixture(scope="session")
def small_data(demo_data: Path, small_truth: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cut as a plain webdataset of three tars."""
    out = tmp_path_factory.mktemp("small") / "data"
    out.mkdir()
    keys = small_truth["key"].to_list()
    shard_of = {key: f"{3 * i // len(keys):05d}" for i, key in enumerate(keys)}
    tars = {shard: tarfile.open(out / f"{shard}.tar", "w") for shard in sorted(set(shard_of.values()))}  # noqa: SIM115
    for source in sorted(demo_data.glob("*.tar")):
        with tarfile.open(source) as tar:
            for member in tar:
                shard = shard_of.get(member.name.split(".")[0])
                if shard is not None:
                    tars[shard].addfile(member, io.BytesIO(tar.extractfile(member).read()))
    for tar in tars.values():
        tar.close()
    return out


@pytest.fixture(scope="session")
def small_run(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The cut, audited and attacked undisturbed."""
    run = audit(small_data, tmp_path_factory.mktemp("run") / "run", AUDIT, LocalEngine())
    attack(run, str(target_folder()), ATTACK, LocalEngine())
    return run


@pytest.fixture
def audited(small_run: Run, tmp_path: Path) -> Run:
    """The small run as its audit left it."""
    shutil.copytree(small_run.path, tmp_path / "run", ignore=shutil.ignore_patterns(*ATTACK_FILES))
    run = Run.open(tmp_path / "run")
    audit = run.manifest()["parts"]["audit"]
    run.reopen()
    run.finish("audit", audit)
    return run


@pytest.fixture
def scanner(capsys: pytest.CaptureFixture[str]) -> Scanner:
    """The command line: its exit code, standard output in one line, and standard error without the progress."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = exit_code_of(app, [str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, " ".join(said.out.split()), "\n".join(re.findall("^scanner: .*$", said.err, re.MULTILINE))

    return run
