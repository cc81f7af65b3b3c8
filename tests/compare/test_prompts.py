"""Prompts gone, new and changed, and the classes of risk before and after, exactly as planted."""

from pathlib import Path

import pytest

from scanner.compare import Comparison, compare
from tests.compare.planted import copies, plant


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("prompts")
    before = [
        *copies(1, 5, "a", "gone, and a control now"),
        *copies(2, 3, "b", "gone, with no row left"),
        *copies(3, 4, "c", "lower risk"),
        *copies(4, 4, "d", "higher risk"),
        *copies(5, 4, "e", "as it was"),
        *copies(6, 1, None, "new in the risk arm"),
        *copies(7, 3, "g", "gone, its caption stays"),
    ]
    after = [
        *copies(1, 1, None, "gone, and a control now"),
        *copies(3, 2, "C", "lower risk"),
        *copies(4, 9, "D", "higher risk"),
        *copies(5, 4, "E", "as it was"),
        *copies(6, 2, "F", "new in the risk arm"),
        *copies(7, 1, None, "gone, its caption stays"),
    ]
    old = [
        ("gone, and a control now", "risk", 0.7, 5),
        ("lower risk", "risk", 0.5, 4),
        ("gone, with no row left", "risk", 0.3, 3),
        ("higher risk", "risk", 0.09, 4),
        ("as it was", "risk", 0.05, 4),
        ("gone, its caption stays", "risk", 0.04, 3),
        ("new in the risk arm", "control", 0.0, 1),
    ]
    new = [
        ("higher risk", "risk", 0.6, 9),
        ("lower risk", "risk", 0.2, 2),
        ("as it was", "risk", 0.05 + 1e-12, 4),
        ("new in the risk arm", "risk", 0.02, 2),
        ("gone, and a control now", "control", 0.0, 1),
    ]
    return compare(plant(folder / "a", before, old), plant(folder / "b", after, new, first=100))


def test_every_kind_is_counted(found: Comparison) -> None:
    risk = found.risk
    assert (risk.before, risk.after) == (6, 4)
    assert (risk.gone, risk.gone_as_controls, risk.gone_with_caption) == (3, 1, 2)
    assert (risk.new, risk.changed, risk.risen, risk.fallen, risk.unchanged) == (1, 2, 1, 1, 1)


def test_the_classes_follow_the_stated_boundaries(found: Comparison) -> None:
    assert [(one.name, one.before, one.after) for one in found.risk.classes] == [
        ("high", 2, 1),
        ("medium", 1, 1),
        ("low", 3, 2),
    ]
    moved = {(one.before, one.after): one.prompts for one in found.risk.transitions if one.prompts}
    assert moved == {
        ("high", "none"): 1,
        ("high", "medium"): 1,
        ("medium", "none"): 1,
        ("low", "high"): 1,
        ("low", "low"): 1,
        ("low", "none"): 1,
        ("none", "low"): 1,
    }


def test_the_listed_prompts_say_rank_risk_copies_and_where_the_caption_is(found: Comparison) -> None:
    listed = [
        (one.state, one.caption, one.rank_before, one.rank_after, one.copies_before, one.copies_after)
        for one in found.prompt_changes
    ]
    assert listed == [
        ("gone", "gone, and a control now", 1, None, 5, None),
        ("gone", "gone, with no row left", 3, None, 3, None),
        ("gone", "gone, its caption stays", 6, None, 3, None),
        ("changed", "higher risk", 4, 1, 4, 9),
        ("changed", "lower risk", 2, 2, 4, 2),
        ("new", "new in the risk arm", None, 4, None, 2),
    ]
    elsewhere = [(one.rows_elsewhere, one.control_elsewhere) for one in found.prompt_changes]
    assert elsewhere == [(1, True), (0, False), (1, False), (None, False), (None, False), (1, True)]
    changed = found.prompt_changes[3]
    assert (changed.reason_before, changed.reason_after) == ("4 copies", "9 copies")
    assert (changed.class_before, changed.class_after) == ("low", "high")
    assert (changed.sample_before, changed.sample_after) == (12, 103)


def test_a_run_without_the_captions_table_does_not_say_where_captions_are(tmp_path: Path) -> None:
    before = plant(tmp_path / "a", copies(1, 2, "a", "x"), [("x", "risk", 0.4, 2)])
    after = plant(tmp_path / "b", copies(1, 1, None, "x"))
    (after.path / "captions.parquet").unlink()
    manifest = after.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"captions": 1,', ""))
    found = compare(before, after)
    assert found.risk.gone_with_caption is None
    assert found.prompt_changes[0].rows_elsewhere is None
