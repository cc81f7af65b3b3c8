"""Our duplicate search beside other public tools, on the same pictures, each run as its users run it.

    make bench                                                      # the sets below a few thousand pictures
    SCANNER_BENCH_LARGE=1 pytest -m bench -s tests/benchmarks/test_compare.py   # and 20,000 pictures

The others come with `pip install 'trainset-scanner[compare]'`; SCANNER_COMPARE_PYTHON names another Python that has
them. Every tool runs in a process of its own, on a folder of JPEG files in shuffled order. A copy is tied when the tool
puts it and its original into one pair or group; pair precision is the share of pairs reported, or in one group, that
are two versions of one picture. Prints Markdown, and leaves it in `bench-results/` with the figures as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scanner.tables import MEMBERS, SAMPLES
from tests.benchmarks.edited import ALL, DISTINCT, LIGHT, EditedRow, clip_art, edited_set, jpeg, look_alikes, photo_like
from tests.benchmarks.test_demo import SCANNER

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench-results"
OTHERS = Path(__file__).parent / "others"
PYTHON = os.environ.get("SCANNER_COMPARE_PYTHON", sys.executable)
LARGE = 20_000
OURS = "scanner audit"
MUST_RUN = ("imagededup PHash ≤ 10", "cleanvision")


def commands(folder: Path, found: Path) -> dict[str, list[str]]:
    """What is run, by the name it has in the table."""
    recipe = [sys.executable, "-m", "tests.benchmarks.others.faiss_pictures", str(folder), str(found)]
    plain = [str(folder), str(found)]
    return {
        OURS: [*SCANNER, "audit", str(folder), "--out", str(found), "--model", "demo", "--json"],
        "imagededup PHash ≤ 10": [PYTHON, str(OTHERS / "imagededup_phash.py"), *plain],
        "imagededup CNN ≥ 0.9": [PYTHON, str(OTHERS / "imagededup_cnn.py"), *plain],
        "imagededup CNN ≥ 0.9, our demo weights": [PYTHON, str(OTHERS / "imagededup_cnn.py"), *plain, "lite0"],
        "cleanvision": [PYTHON, str(OTHERS / "cleanvision_sets.py"), *plain],
        "faiss k-NN ≥ 0.95, our demo weights": [*recipe, "0.95"],
        "faiss k-NN ≥ 0.90, our demo weights": [*recipe, "0.90"],
    }


Counted = tuple[set[str], int, int, tuple[tuple[int, int], ...]]
"""Files tied to their original, pairs right, pairs reported, pairs of originals merged."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What one tool did on one set."""

    tied: float
    """Share of copies in one pair or group with their original."""
    by_edit: Mapping[str, float]
    """The same for each edit."""
    right: int
    """Pairs that are two versions of one picture, of those reported."""
    reported: int
    """Pairs in one group, or reported."""
    distinct: tuple[int, int] | None
    """The same two among the pictures that are no other one redrawn; None where all are such."""
    merged: tuple[tuple[int, int], ...]
    """Numbers of different originals that stand in one group or pair, by any version of theirs."""
    cpu_seconds: float
    """User and system time of the tool and its children."""
    gibibytes: float
    """Peak memory of its largest process."""

    @property
    def precision(self) -> float:
        return self.right / self.reported if self.reported else 1.0


def write_folder(rows: Sequence[EditedRow], folder: Path) -> pl.DataFrame:
    """The rows as JPEG files in shuffled order; returns `file`, `picture`, `edit`.

    Quality 95; what an edit has already encoded at a lower quality loses next to nothing more.
    """
    folder.mkdir(parents=True)
    names = [f"{place:06d}.jpg" for place in np.random.default_rng(1).permutation(len(rows))]
    for name, row in zip(names, rows, strict=True):
        (folder / name).write_bytes(jpeg(row.pixels, 95))
    return pl.DataFrame({"file": names, "picture": [row.picture for row in rows], "edit": [row.edit for row in rows]})


def run(command: Sequence[str], cost: Path) -> dict[str, float] | str:
    """What the command cost, or the last line of what it said when it failed."""
    launcher = [sys.executable, str(OTHERS / "measured.py"), str(cost), *command]
    done = subprocess.run(launcher, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        return next(iter(done.stderr.strip().splitlines()[::-1]), f"exit code {done.returncode}")
    return json.loads(cost.read_text())


def groups_of(out: Path) -> pl.DataFrame:
    """Our groups as `file`, `group`."""
    members = MEMBERS.read(out).select("sample_id", group="group_id")
    return members.join(SAMPLES.read(out).select("sample_id", file=pl.col("key") + ".jpg"), on="sample_id")


def joined(groups: Sequence[Sequence[str]], truth: pl.DataFrame) -> pl.DataFrame:
    """Sets of files as `file`, `group`; sets that share a file are one group."""
    place = {name: row for row, name in enumerate(truth["file"])}
    edges = [(place[names[0]], place[name]) for names in groups for name in names]
    left, right = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(len(place),) * 2)
    labels = connected_components(graph, directed=False)[1]
    listed = np.unique(np.concatenate([left, right]))
    return pl.DataFrame({"file": truth["file"].gather(listed), "group": labels[listed]})


def counts_of_groups(groups: pl.DataFrame, truth: pl.DataFrame) -> Counted:
    """Of disjoint groups; their pairs are counted and never listed."""
    rows = truth.join(groups, on="file")
    original = rows.filter(edit="original").select("picture", "group")
    tied = set(rows.join(original, on=["picture", "group"])["file"])
    sizes, parts = rows.group_by("group").len()["len"], rows.group_by("group", "picture").len()
    pictures = parts.select("group", "picture")
    merged = pictures.join(pictures, on="group").filter(pl.col("picture") < pl.col("picture_right"))
    return (
        tied,
        int((parts["len"] * (parts["len"] - 1) // 2).sum()),
        int((sizes * (sizes - 1) // 2).sum()),
        tuple(merged.select("picture", "picture_right").unique().sort("picture", "picture_right").iter_rows()),
    )


def counts_of_pairs(pairs: Sequence[Sequence[str]], truth: pl.DataFrame) -> Counted:
    """Of a tool that reports pairs of files; they are not joined any further."""
    frame = pl.DataFrame(pairs, schema={"file": pl.String, "other": pl.String}, orient="row")
    rows = frame.join(truth, on="file").join(truth, left_on="other", right_on="file", suffix="_other")
    same = rows.filter(pl.col("picture") == pl.col("picture_other"))
    tied = set(same.filter(edit_other="original")["file"]) | set(same.filter(edit="original")["other"])
    picture, other = pl.col("picture"), pl.col("picture_other")
    merged = rows.filter(picture != other).select(
        pl.min_horizontal(picture, other), pl.max_horizontal(picture, other).alias("high")
    )
    return tied, same.height, rows.height, tuple(merged.unique().sort(pl.all()).iter_rows())


def score(counted: Counted, cost: Mapping[str, float], truth: pl.DataFrame, distinct: Counted | None = None) -> Score:
    tied, right, reported, merged = counted
    copies = truth.filter(pl.col("edit") != "original").with_columns(tied=pl.col("file").is_in(list(tied)))
    by_edit = dict(copies.group_by("edit").agg(pl.col("tied").mean()).iter_rows())
    return Score(
        tied=float(copies["tied"].mean()),
        by_edit={edit: by_edit[edit] for edit in ALL if edit in by_edit},
        right=right,
        reported=reported,
        distinct=None if distinct is None else distinct[1:3],
        merged=merged,
        cpu_seconds=cost["cpu_seconds"],
        gibibytes=cost["gibibytes"],
    )


def measure(rows: Sequence[EditedRow], folder: Path, distinct: int | None) -> dict[str, Score | str]:
    """Every tool on the rows: its score, or why it did not run; pictures from number `distinct` on may be redrawn."""
    truth, scores = write_folder(rows, folder / "pictures"), {}
    for number, name in enumerate(commands(folder, folder)):
        out = folder / f"found{number}"
        cost = run(commands(folder / "pictures", out)[name], folder / f"cost{number}.json")
        if isinstance(cost, str):
            scores[name] = cost
            continue
        found: dict[str, Any] = {} if name == OURS else json.loads(out.read_text())
        if "pairs" in found:
            count = partial(counts_of_pairs, found["pairs"])
        else:
            count = partial(counts_of_groups, groups_of(out) if name == OURS else joined(found["groups"], truth))
        some = None if distinct is None else count(truth.filter(pl.col("picture") < distinct))
        scores[name] = score(count(truth), cost, truth, some)
    return scores


def table(scores: Mapping[str, Score | str]) -> str:
    """Two Markdown tables: what each tool found at which cost, and the share tied by edit.

    Where a set has pictures that are another one redrawn, the precision among the others follows in brackets.
    """
    head = ("tool", "copies tied", "pair precision", "pairs reported", "originals merged", "CPU s", "peak GiB")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    ran = {name: found for name, found in scores.items() if isinstance(found, Score)}
    for name, found in scores.items():
        if isinstance(found, str):
            lines.append(f"| {name} | not run: {found} |" + " |" * (len(head) - 2))
            continue
        precision = f"{found.precision:.2%}"
        if found.distinct is not None:
            precision += f" ({found.distinct[0] / max(found.distinct[1], 1):.2%})"
        figures = (f"{found.tied:.1%}", precision, f"{found.reported:,}", f"{len(found.merged):,}")
        lines.append(
            f"| {name} | " + " | ".join((*figures, f"{found.cpu_seconds:.0f}", f"{found.gibibytes:.2f}")) + " |"
        )
    edits = list(next(iter(ran.values())).by_edit)
    lines += ["", "| copies tied, by edit | " + " | ".join(ran) + " |", "|---" * (len(ran) + 1) + "|"]
    lines += [
        f"| {edit} | " + " | ".join(f"{found.by_edit[edit]:.1%}" for found in ran.values()) + " |" for edit in edits
    ]
    return "\n".join(lines)


def compared(title: str, rows: Sequence[EditedRow], folder: Path, distinct: int | None = None) -> Score:
    """Measure every tool, print and keep the tables, and give back our own score."""
    scores = measure(rows, folder, distinct)
    text = f"### {title}: {len(rows):,} pictures\n\n{table(scores)}\n"
    print("\n" + text)
    RESULTS.mkdir(exist_ok=True)
    slug = title.replace(",", "").replace(" ", "-")
    (RESULTS / f"compare-{slug}.md").write_text(text)
    figures = {name: found if isinstance(found, str) else asdict(found) for name, found in scores.items()}
    (RESULTS / f"compare-{slug}.json").write_text(json.dumps(figures, indent=1))
    missing = {name: scores[name] for name in MUST_RUN if isinstance(scores[name], str)}
    assert not missing, f"install them with `pip install 'trainset-scanner[compare]'`: {missing}"
    ours = scores[OURS]
    assert isinstance(ours, Score), ours
    return ours


def photos() -> list[Any]:
    return photo_like(120)


def drawings() -> list[Any]:
    return clip_art(150)


@pytest.mark.parametrize("pictures", [photos, drawings])
def test_light_edits_are_tied_to_their_original(tmp_path: Path, pictures: Callable[[], list[Any]]) -> None:
    ours = compared(f"{pictures.__name__}, light edits", edited_set(pictures(), LIGHT, seed=0), tmp_path)
    assert ours.tied >= 0.99
    assert ours.precision >= 0.995


@pytest.mark.parametrize("pictures", [photos, drawings])
def test_all_fourteen_edits_are_tied_to_their_original(tmp_path: Path, pictures: Callable[[], list[Any]]) -> None:
    ours = compared(f"{pictures.__name__}, all 14 edits", edited_set(pictures(), ALL, seed=0), tmp_path)
    assert ours.tied >= 0.985
    assert ours.precision >= 0.995


def test_look_alikes_are_not_merged(tmp_path: Path) -> None:
    families, pictures = zip(*look_alikes(), strict=True)
    ours = compared("look-alikes, light edits", edited_set(pictures, LIGHT, seed=0), tmp_path)
    named = [(families[left], families[right], left, right) for left, right in ours.merged]
    merged = [pair for pair in named if pair[:2] != ("cards", "cards")]  # small cards differ in a few pixels
    print(f"pairs of playing cards of another suit that are merged: {len(named) - len(merged)}")
    assert not merged, f"{len(merged)} pairs of different pictures: {merged}"


@pytest.mark.skipif(
    not os.environ.get("SCANNER_BENCH_LARGE"), reason="a quarter of an hour; SCANNER_BENCH_LARGE=1 runs it"
)
def test_twenty_thousand_pictures_of_the_demo(tmp_path: Path) -> None:
    """All drawings that ship, in families and redrawn ones too, and 14 edits of each."""
    rows = edited_set(clip_art(-(-LARGE // (1 + len(ALL)))), ALL, seed=0)[:LARGE]
    ours = compared("demo pictures, all 14 edits", rows, tmp_path, DISTINCT)
    assert ours.tied >= 0.985
    assert ours.distinct is not None
    assert ours.distinct[0] >= 0.995 * ours.distinct[1]
