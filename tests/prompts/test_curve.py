import json
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest

from scanner.errors import UnusableInputError
from scanner.prompts import Curve, Measured, measure_curve, read_curve, shipped_curve


def _curve() -> Curve:
    prompts = pl.DataFrame(
        {
            "prompt_id": ["a", "b", "c", "d", "e"],
            "arm": ["risk", "risk", "risk", "risk", "control"],
            "copies": [200, 130, 16, 2, 1],
            "risk_class": ["high", "high", "medium", "low", None],
        }
    )
    outcome = pl.DataFrame({"prompt_id": ["a", "b", "c", "e"], "verified": [True, False, True, True]})
    return measure_curve(prompts, outcome, target="a target", protocol="8 images")


def test_prompts_that_were_not_tried_and_controls_count_nowhere() -> None:
    found = _curve()
    assert found.classes == (
        Measured(name="high", tried=2, verified=1),
        Measured(name="medium", tried=1, verified=1),
        Measured(name="low", tried=0, verified=0),
    )
    assert [one for one in found.copies if one.tried] == [
        Measured(name="16–31", tried=1, verified=1),
        Measured(name="128+", tried=2, verified=1),
    ]


def test_a_curve_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "curve.json").write_text(json.dumps(asdict(_curve())), encoding="utf-8")
    assert read_curve(tmp_path / "curve.json") == _curve()


def test_the_shipped_one_names_its_target() -> None:
    shipped = shipped_curve()
    assert shipped.target == "demo target, 64 px"
    assert [one.name for one in shipped.classes] == ["high", "medium", "low"]
    assert all(one.verified <= one.tried for one in (*shipped.classes, *shipped.copies))


@pytest.mark.parametrize(
    "content", ["", "no json", "{}", "[]", '{"schema_version": "1.3", "target": "x", "dataset": "y", "curve": []}']
)
def test_what_is_no_curve_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnusableInputError, match=r"holds no measured curve; name an attacked run"):
        read_curve(tmp_path / "report.json")


def test_a_run_without_attack_is_refused(tmp_path: Path) -> None:
    content = {"schema_version": "1.4", "target": None, "dataset": "x", "ranking": None, "curve": []}
    (tmp_path / "report.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UnusableInputError, match="has tried no prompt that has a risk class"):
        read_curve(tmp_path / "report.json")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="holds no measured curve"):
        read_curve(tmp_path)
