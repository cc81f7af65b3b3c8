"""Captions, keys, addresses and messages by an attacker, and a run that is full of them."""

from pathlib import Path

import polars as pl

from scanner.run import Run
from scanner.tables import ERRORS, GROUPS, PROMPTS, SAMPLES
from tests.report.planted import Plan, make_run, overwrite

CAPTIONS = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202egpj.exe\u202c with \u2066direction\u2069 marks",
    "null\x00byte, \x1b[31mescape and bell\x07",
    '" onmouseover="alert(3)" x="',
    "y" * 100_000,
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "</style></title></script><svg onload=alert(4)>",
    '=HYPERLINK("https://evil.example","x")',
    "`` ticks `, [link](javascript:alert(9)), @someone, | bar |, \\ and\n# heading",
    "👩‍👩‍👧 emoji, عربي, עברית, ＜ﾊﾝｶｸ＞",
]
URLS = [
    "javascript:alert(5)",
    "data:text/html,<script>alert(6)</script>",
    'https://ok.example/a.png?x="><script>alert(7)</script>',
    "https://user:secret@evil.example/",
    "java\tscript:alert(8)",
    "//scheme.example/x",
    "https://ok.example/b.png",
    "https://ok.example/\u202egpj",
]


def cycle(values: list[str], height: int) -> pl.Series:
    return pl.Series([values[i % len(values)] for i in range(height)])


def make_hostile(path: Path, plan: Plan | None = None) -> Run:
    """A planted run in which every text of strangers is hostile."""
    run = make_run(path, plan or Plan(control_hits=1))
    samples = run.read(SAMPLES)
    hostile = {"caption": cycle(CAPTIONS, samples.height), "url": cycle(URLS, samples.height)}
    SAMPLES.write(run.path, samples.with_columns(**hostile, key=pl.lit("<b>key</b>")), part="00000")
    prompts = run.read(PROMPTS).height
    overwrite(run, PROMPTS, caption=cycle(CAPTIONS, prompts), url=cycle(URLS, prompts), reason=pl.lit("<b>why</b>"))
    overwrite(run, GROUPS, top_caption=cycle(CAPTIONS, run.read(GROUPS).height))
    errors = run.read(ERRORS).height
    overwrite(run, ERRORS, message=cycle(CAPTIONS, errors), reason=pl.lit("<u>r</u>"), key=cycle(CAPTIONS, errors))
    return run
