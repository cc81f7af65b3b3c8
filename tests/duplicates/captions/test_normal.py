import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions import normalise_caption, normalise_captions


@pytest.mark.parametrize(
    ("caption", "normal"),
    [
        ("  A “red” fox,\tsitting!  ", "a red fox sitting"),
        ("Straße", "strasse"),
        ("ﬁre ①", "fire 1"),
        ("full　width ＡＢＣ", "full width abc"),
        ("well-known_thing|price: $5", "well known thing price 5"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("की का", "की का"),
        ("fox 🎨✨", "fox 🎨✨"),
        ("line\nbreak\x00", "line break"),
        ("<b>bold</b> &amp;", "b bold b amp"),
        ("...", ""),
        ("", ""),
    ],
)
def test_what_does_not_tell_captions_apart_is_folded(caption: str, normal: str) -> None:
    assert normalise_caption(caption) == normal


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_normalising_twice_changes_nothing(caption: str) -> None:
    normal = normalise_caption(caption)
    assert normalise_caption(normal) == normal
    assert normal == " ".join(normal.split())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("aB .!é", max_size=4))))
def test_a_column_is_normalised_like_its_captions(captions: list[str | None]) -> None:
    expected = [(normalise_caption(caption) or None) if caption is not None else None for caption in captions]
    assert normalise_captions(pl.Series(captions, dtype=pl.String)).to_list() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="ascii"), max_size=12)))
def test_captions_of_ascii_take_a_short_way_to_the_same_end(captions: list[str]) -> None:
    expected = [normalise_caption(caption) or None for caption in captions]
    assert normalise_captions(pl.Series(captions, dtype=pl.String)).to_list() == expected


def test_every_ascii_character_takes_the_short_way_rightly() -> None:
    captions = [f"a{chr(code)}B" for code in range(128)] + [chr(code) for code in range(128)]
    assert normalise_captions(pl.Series("text", captions)).to_list() == [normalise_caption(c) or None for c in captions]
