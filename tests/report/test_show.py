"""Text by strangers: nothing invisible is left, and only web addresses become links."""

import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.report._show import at_path, cut, number, visible, web_link


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"} for c in shown
    )
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in shown)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "M"])))
def test_ordinary_text_stays(text: str) -> None:
    assert visible(text) == text


def test_emoji_families_stay_whole() -> None:
    assert visible("👩‍👩‍👧") == "👩‍👩‍👧"


@given(st.text(max_size=50), st.integers(1, 30))
def test_cut_tells_the_whole_length(text: str, length: int) -> None:
    shown = cut(text, length)
    assert shown.text == visible(text[:length])
    assert shown.whole == (len(text) if len(text) > length else None)


@pytest.mark.parametrize("url", ["http://a.example/x.jpg", "https://a.example:8080/x?y=1&z=2#f", "HTTPS://A.example/ü"])
def test_web_addresses_are_links(url: str) -> None:
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)"),
        *("data:text/html,<script>1</script>", "vbscript:x", "file:///etc/passwd", "//a.example/x", "a.jpg"),
        *("https://", "https://u:p@a.example/", "https://a.example/\u202egpj.exe", "https://a b.example/"),
        *("ht\ntps://a.example/", "https://[::1", "", None, "https://a.example/" + "x" * 3000),
    ],
)
def test_everything_else_is_text(url: str | None) -> None:
    assert web_link(url) is None


@given(st.text())
def test_a_link_always_begins_with_http(text: str) -> None:
    link = web_link(text)
    assert link is None or urlsplit(link).scheme in ("http", "https")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (12345, "12,345"), (0.12345, "0.123"), (216.04, "216")],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_paths_lead_through_everything() -> None:
    assert at_path({"a": [{"b": 1}, {"b": 2}]}, "a.1.b") == 2
