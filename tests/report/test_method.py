"""Whatever the run recorded is shown, nested or not."""

from scanner.report._method import as_text, flatten, name_of, settings


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


def test_no_settings() -> None:
    assert settings(None) == ()


def test_small_numbers_keep_their_digits() -> None:
    assert as_text(1e-7) == "1e-07"


def test_names() -> None:
    assert [name_of(x, "?") for x in ("m", {"name": "n"}, {"path": "p"}, {}, None, "")] == [
        "m",
        "n",
        "p",
        "?",
        "?",
        "?",
    ]
