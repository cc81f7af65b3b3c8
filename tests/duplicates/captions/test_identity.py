import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions import normalise_caption, prompt_id, prompt_ids


def test_first_16_hex_digits_of_the_normalised_caption() -> None:
    assert prompt_id("A “red” FOX!") == hashlib.sha256(b"a red fox").hexdigest()[:16]


def test_captions_that_say_nothing_are_no_prompts() -> None:
    assert [prompt_id(caption) for caption in ("", " ", "...", "\n–—", "\u200b")] == [None] * 5


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_the_hash_is_of_the_normal_form(caption: str) -> None:
    normal = normalise_caption(caption)
    assert prompt_id(caption) == prompt_id(normal)
    if normal:
        assert prompt_ids(pl.Series([normal], dtype=pl.String)).to_list() == [prompt_id(caption)]


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text())
def test_two_captions_of_one_normal_form_are_one_prompt(one: str, other: str) -> None:
    assert (prompt_id(one) == prompt_id(other)) == (normalise_caption(one) == normalise_caption(other))
