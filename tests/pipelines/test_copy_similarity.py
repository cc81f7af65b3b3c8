"""Copy similarity of hits, by the network that is named beside it."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.attack import attack
from pipelines.engines import LocalEngine
from scanner.demo import target_folder
from scanner.errors import UnusableInputError
from scanner.report import gather
from scanner.run import Run
from scanner.tables import HITS
from tests.fingerprints.copy_networks import Tiny, save_torchscript
from tests.pipelines.conftest import ATTACK

TARGET = str(target_folder())


def by(run: Run) -> str:
    return str(run.manifest()["parts"]["attack"]["copy_similarity_by"])


def test_the_audits_own_model_is_named(small_run: Run) -> None:
    assert by(small_run) == "the audit's model, demo"
    lines = {line.name: line for line in gather(small_run).method.results}
    assert lines["attack.copy_similarity_by"].meaning


def test_a_network_of_ones_own_measures_and_is_named(audited: Run, small_run: Run, tmp_path: Path) -> None:
    network = save_torchscript(Tiny(), tmp_path / "tiny.torchscript.pt")
    with pytest.raises(UnusableInputError, match="copy_model"):
        attack(small_run, TARGET, replace(ATTACK, copy_model=str(network)), LocalEngine())
    run = audited
    attack(run, TARGET, replace(ATTACK, copy_model=str(network)), LocalEngine())
    assert by(run) == "tiny.torchscript.pt"
    ours, theirs = (one.read(HITS) for one in (run, small_run))
    assert_frame_equal(ours.drop("copy_similarity"), theirs.drop("copy_similarity"), abs_tol=1e-4)
    both = ours.select("prompt_id", "copy_similarity").join(theirs, on="prompt_id").drop_nulls("copy_similarity")
    assert both.height
    assert (both["copy_similarity"] != both["copy_similarity_right"]).all()
    assert both.select(pl.col("copy_similarity").is_between(-1.001, 1.001).all()).item()
    assert any("Copy Detection" in title for title, _ in gather(run).method.sources)


def test_a_file_that_is_no_network_is_refused_before_anything_is_written(audited: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "network.pt"
    wrong.write_bytes(b"nothing")
    with pytest.raises(UnusableInputError):
        attack(audited, TARGET, replace(ATTACK, copy_model=str(wrong)), LocalEngine())
    assert not (audited.path / "attack.json").exists()
