"""Whatever the run recorded is shown, nested or not."""

from pathlib import Path
from typing import Any

import pytest

from scanner.report._findings import Thresholds
from scanner.report._method import as_text, flatten, name_of, settings, thresholds
from scanner.run import Run


def test_nested_settings_get_dotted_names() -> None:
    content = {"b": {"d": None, "c": [1, 2.5, "x"]}, "a": True, "e": {}, "f": [{"g": 1}]}
    assert flatten(content) == [
        ("a", "yes"),
        ("b.c", "1, 2.5, x"),
        ("b.d", "none"),
        ("e", "none"),
        ("f", '[{"g": 1}]'),
    ]


def test_known_names_get_a_meaning_at_any_depth() -> None:
    known, unknown = settings({"attack": {"triage_threshold": 1.5, "zzz": 1}})
    assert "triage score" in known.meaning
    assert unknown.meaning == ""


def test_a_fingerprint_of_every_shard_is_one_line() -> None:
    assert flatten({"shards": {f"{i:05d}": "ab" for i in range(10_000)}}) == [("shards", "10,000 entries")]


def test_no_settings() -> None:
    assert settings(None) == ()


def test_small_numbers_keep_their_digits() -> None:
    assert as_text(1e-7) == "1e-07"


def test_names() -> None:
    assert [name_of(x, "?") for x in ("/data/laion", "org/model", "set/")] == ["laion", "org/model", "set/"]
    assert [name_of(x, "?") for x in ("m", {"name": "n"}, {"path": "p"}, {}, None, "")] == [
        "m",
        "n",
        "p",
        "?",
        "?",
        "?",
    ]


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({}, (None,) * 6),
        ({"normalised_threshold": 0.1, "triage_threshold": None}, (0.1, None, None, None, None, None)),
        ({"normalised_threshold": {"value": 0.1, "ceiling": 0.12, "rate": 0.01}}, (0.1, True, None, 0.01, None, None)),
        ({"triage_threshold": 2.5, "control_false_positive_rate": 0.001}, (None, None, 2.5, 0.005, None, None)),
        ({"template_threshold": {"value": 0.1, "ceiling": 0.12}}, (None, None, None, None, 0.1, 0.35)),
    ],
)
def test_thresholds_as_numbers_or_with_their_story(
    tmp_path: Path, recorded: dict[str, Any], expected: tuple[float | bool | None, ...]
) -> None:
    run = Run.claim(tmp_path / "run", {})
    run.finish("attack", recorded)
    names = ("normalised_l2", "lowered", "triage", "false_positive_rate", "template_l2", "masked_share")
    assert thresholds(run, controls=200) == Thresholds(**dict(zip(names, expected, strict=True)))
