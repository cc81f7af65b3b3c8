"""The levels of a whole run are those that `agreement` gives prompt by prompt."""

from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from scanner.attack import EVIDENCE_FIRST, agreement, agreement_levels
from scanner.run import Run
from scanner.tables import GENERATIONS, MEMBERS

GROUP_OF = {1: 1, 2: 1, 3: 1, 7: 7, 8: 7}
NEAR = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6).map(lambda n: n / 20)), max_size=4)


def generation(prompt: str, index: int, near: list[tuple[int, float]] | None, **more: Any) -> dict[str, Any]:
    ids, distances = (None, None) if near is None else ([a for a, _ in near], [b for _, b in near])
    row = {"prompt_id": prompt, "image_index": index, "near": ids, "near_l2": distances}
    return dict.fromkeys(GENERATIONS.columns) | row | more


def levels(path: Path, rows: list[dict[str, Any]]) -> dict[str, float]:
    run = Run.claim(path, {"dataset": "planted/"})
    members = [{"sample_id": a, "group_id": b, "similarity_to_medoid": 1.0} for a, b in GROUP_OF.items()]
    MEMBERS.write(run.path, MEMBERS.frame(members))
    GENERATIONS.write(run.path, GENERATIONS.frame(rows), part="all")
    return dict(agreement_levels(run).iter_rows())


@given(st.lists(st.lists(NEAR, max_size=4), max_size=5))
def test_levels_are_those_of_each_prompt(tmp_path_factory, prompts):
    rows = [
        generation(f"{number:016x}", EVIDENCE_FIRST + index, near)
        for number, images in enumerate(prompts)
        for index, near in enumerate(images)
    ]
    slow = {}
    for number, images in enumerate(prompts):
        agreed = agreement(images, GROUP_OF, threshold=-1)
        if agreed is not None:
            slow[f"{number:016x}"] = agreed.distance
    assert levels(tmp_path_factory.mktemp("run") / "run", rows) == slow


def test_only_usable_full_step_images_count(tmp_path):
    near = [(5, 0.1)]
    found = levels(
        tmp_path / "run",
        [
            generation("few steps", 0, near),
            generation("few steps", EVIDENCE_FIRST, near),
            generation("flat", EVIDENCE_FIRST, near, defect="flat"),
            generation("flat", EVIDENCE_FIRST + 1, near),
            generation("not compared", EVIDENCE_FIRST, None),
            generation("not compared", EVIDENCE_FIRST + 1, None),
            generation("two", EVIDENCE_FIRST, near),
            generation("two", EVIDENCE_FIRST + 1, [(5, 0.2)]),
        ],
    )
    assert found == {"two": 0.2}


def test_a_run_without_images_has_none(tmp_path):
    run = Run.claim(tmp_path / "run", {"dataset": "planted/"})
    assert agreement_levels(run).schema == {"prompt_id": pl.String, "agreement_l2": pl.Float64}
