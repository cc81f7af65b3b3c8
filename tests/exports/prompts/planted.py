"""Prompt lists whose captions are given, written in a format and handed back as bytes."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from scanner.exports.prompts import PROMPT_FORMATS, ListFacts, carried

FACTS = ListFacts(dataset="laion/ {{ 7 * 7 }}", target="models/sd: 1.4", version="0.1.0")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n", " =1", "\x00=1", "\ufeff=1", "＝1", "'tis")
TEMPLATES = (
    "{{ 7 * 7 }}",
    "{{ prompt }} {{url}}",
    "{{ env.HOME }}",
    "{% for x in y %}{{ x }}{% endfor %}",
    "{% raw %}{% endraw %}{{ 7 * 7 }}",
    "{% endraw %}{{ 7 * 7 }}{% raw %}",
    "{# gone #} kept #}",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "{{{}}}",
    "{\r",
    "{\n",
    '{{"{"}}',
    "{%- if -%}",
)
LOADED = (
    "file:///etc/passwd",
    "file://*.py",
    "package:x:y",
    "exec: ls",
    "python: 1",
    "https://example.org",
    "__proto__",
)
BREAKS = (
    "two\nlines",
    "two\r\nlines",
    "two\rlines",
    "two\u2028lines",
    "two\x85lines",
    "two\x0blines",
    "end\n",
    "end\n\n",
    "end\r",
)
YAML = (
    "1e3",
    "0o17",
    "yes",
    "null",
    "~",
    "NaN",
    "2020-01-01",
    "!!python/object:x",
    "&a",
    "*a",
    "# no",
    "a: b",
    "- a",
    "| x",
)
OTHER = (
    "",
    " ",
    " around ",
    "\x00",
    "\x1c",
    "\x7f",
    "\ufeffmark",
    "\ufffe",
    "🎨 дом",
    "\u202ertl",
    'a "quoted", cell',
    "\\n",
    "\\",
    "long " * 14_000 + "end",
)
HOSTILE = (*FORMULAS, *TEMPLATES, *LOADED, *BREAKS, *YAML, *OTHER)
"""Captions that mean something to some reader."""

CAPTIONS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=("Cs",))),
        st.sampled_from(HOSTILE),
        st.lists(st.sampled_from(["{", "}", "%", "#", '"', "'", "=", "\r", "\n", "-", " ", "a", "\\", "raw", ":"])).map(
            "".join
        ),
    ),
    min_size=1,
    max_size=4,
)
"""Whatever hypothesis can write (polars holds no lone surrogates), and what templates are made of."""


def prompts_of(captions: Sequence[str]) -> pl.DataFrame:
    """A list of the risk arm with these captions, a missing url and group among them, and a column that is new."""
    count = len(captions)
    numbers = range(count)
    return pl.DataFrame(
        {
            "prompt_id": [f"{number:016x}" for number in numbers],
            "rank": [number + 1 for number in numbers],
            "arm": ["risk"] * count,
            "caption": list(captions),
            "url": [None if number % 3 == 2 else f"https://a.example/{number}?q={{{{x}}}}" for number in numbers],
            "group_id": [None if number % 2 else 7 + number for number in numbers],
            "risk": [0.5 / (number + 1) ** 3 for number in numbers],
            "reason": [f"{number} copies of one picture" for number in numbers],
            "template_part": [1e-7 * number for number in numbers],
            "agreement": [None] * count,
            "verdict": ["matching" if number == 0 else None for number in numbers],
        },
        schema_overrides={"agreement": pl.Float64, "group_id": pl.Int64, "url": pl.String, "verdict": pl.String},
    )


def written(name: str, suffix: str, prompts: pl.DataFrame, *, skip: bool = False) -> bytes:
    """The file's content, as the export recipe makes it."""
    writing = PROMPT_FORMATS[name].writing_for(Path(f"prompts{suffix}"))
    return b"".join(writing.encode(carried(prompts, writing, skip=skip), FACTS))


def left(name: str, suffix: str, prompts: pl.DataFrame) -> list[str]:
    """The captions that the format carries."""
    writing = PROMPT_FORMATS[name].writing_for(Path(f"prompts{suffix}"))
    fits = prompts.select("caption", fits=writing.carries)
    return fits.filter(pl.col("fits"))["caption"].to_list()
