"""The duplicate search on edited pictures, end to end: `scanner audit` with its own proposals and looks.

    pytest -m bench -s tests/benchmarks/test_pictures.py

Where a copy is lost can be read off the table by edit: *proposed* with another version of its picture and looked at;
tied to its original by the *thumbnails* alone; in its original's *group* in the end.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanner.tables import FEATURES, PAIRS, SAMPLES
from tests.benchmarks.edited import ALL, LIGHT, EditedRow, edited_set, look_alikes
from tests.benchmarks.test_compare import (
    OURS,
    ROOT,
    Score,
    commands,
    counts_of_groups,
    drawings,
    groups_of,
    photos,
    run,
    score,
    write_folder,
)
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench

FAMILIES_TOLD_APART = ("letters", "flags", "clocks", "figures", "products")
"""Small playing cards of another suit differ in a few pixels; what is merged of them is printed."""


@dataclass(frozen=True, kw_only=True)
class Audited:
    """A finished audit of an edited set."""

    title: str
    """The set, and its edits."""
    run: Path
    """The run directory."""
    truth: pl.DataFrame
    """`file`, `picture`, `edit`."""
    score: Score
    """What was found."""


def audited(title: str, rows: Sequence[EditedRow], folder: Path) -> Audited:
    truth = write_folder(rows, folder / "pictures")
    cost = run(commands(folder / "pictures", folder / "run")[OURS], folder / "cost.json")
    assert not isinstance(cost, str), cost
    found = score(counts_of_groups(groups_of(folder / "run"), truth), cost, truth)
    print(f"\n  {title}: {len(rows):,} pictures, {found.cpu_seconds:.0f} CPU s, {found.gibibytes:.2f} GiB")
    return Audited(title=title, run=folder / "run", truth=truth, score=found)


@pytest.fixture(scope="module", params=[(photos, LIGHT), (photos, ALL), (drawings, LIGHT), (drawings, ALL)])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    pictures: Callable[[], list[Any]]
    pictures, edits = request.param
    title = f"{pictures.__name__}, {'light' if edits is LIGHT else 'all 14'} edits"
    return audited(title, edited_set(pictures(), edits, seed=0), tmp_path_factory.mktemp("edited"))


def stages(one: Audited) -> pl.DataFrame:
    """By edit: share of copies that were proposed with any version of their picture, and that the thumbnails tied."""
    samples = SAMPLES.read(one.run).select("sample_id", file=pl.col("key") + ".jpg").join(one.truth, on="file")
    place = {sample: row for row, sample in enumerate(samples["sample_id"])}
    picture, edit = samples["picture"].to_numpy(), samples["edit"].to_numpy()
    pairs = PAIRS.read(one.run)
    left, right = (np.array([place[sample] for sample in pairs[side]]) for side in ("left", "right"))
    proposed = np.zeros(len(samples), bool)
    for side in (left, right):
        proposed[side[picture[left] == picture[right]]] = True
    tie = pairs.select(pl.col("accepted") & (pl.col("look") == "thumbnail")).to_series().to_numpy()
    graph = coo_array((np.ones(tie.sum(), bool), (left[tie], right[tie])), shape=(len(samples),) * 2)
    part = connected_components(graph, directed=False)[1]
    own = dict(zip(picture[edit == "original"], part[edit == "original"], strict=True))
    tied = part == np.array([own[number] for number in picture])
    return pl.DataFrame({"edit": edit, "proposed": proposed, "tied": tied}).group_by("edit").mean()


def test_copies_are_in_their_originals_group(found: Audited) -> None:
    light = "light" in found.title
    say(f"copies in their original's group (at least {0.99 if light else 0.985})", f"{found.score.tied:.4f}")
    say("pair precision (at least 0.995)", f"{found.score.precision:.4f} of {found.score.reported:,}")
    say("different pictures merged", found.score.merged)
    by_edit = {edit: (proposed, tied) for edit, proposed, tied in stages(found).rows()}
    for edit, share in found.score.by_edit.items():
        proposed, tied = by_edit[edit]
        say(f"    {edit}: proposed, tied by thumbnails, in the group", f"{proposed:.3f} {tied:.3f} {share:.3f}")
    assert found.score.tied >= (0.99 if light else 0.985)
    assert found.score.precision >= 0.995


def test_the_looks_are_cheap_and_features_are_computed_once(found: Audited) -> None:
    alone = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.benchmarks.look_costs", str(found.run)]
    cost = json.loads(subprocess.run(command, env=alone, check=True, capture_output=True, cwd=ROOT).stdout)
    say("thumbnail look, milliseconds a candidate (at most 0.3)", f"{cost['thumbnail']:.3f}")
    say("geometric look, milliseconds a candidate (at most 10)", f"{cost['geometry']:.2f}")
    closely = PAIRS.read(found.run).filter(pl.col("look") == "geometry")
    featured = FEATURES.read(found.run)["sample_id"]
    say("pictures looked at closely; pairs", f"{featured.len():,}; {closely.height:,}")
    assert featured.n_unique() == featured.len()
    assert set(closely["left"]) | set(closely["right"]) <= set(featured)
    assert cost["thumbnail"] <= 0.3
    assert cost["geometry"] <= 10


def test_no_family_of_look_alikes_is_merged(tmp_path: Path) -> None:
    families, pictures = zip(*look_alikes(), strict=True)
    found = audited("look-alikes, light edits", edited_set(pictures, LIGHT, seed=0), tmp_path)
    say("copies in their original's group", f"{found.score.tied:.4f}")
    merged = Counter(" and ".join(sorted({families[one], families[other]})) for one, other in found.score.merged)
    for family in sorted(set(families)):
        say(f"    {family}: pictures, pairs of them merged", (families.count(family), merged[family]))
    assert set(merged) <= {"cards"}
    assert not any(merged[family] for family in FAMILIES_TOLD_APART)
