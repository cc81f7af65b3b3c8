"""Any caption comes back unchanged from a reader that is not ours, or the format says that it can't carry it."""

import csv
import io
import json
from collections.abc import Callable

import polars as pl
import pytest
import yaml
from hypothesis import example, given, settings
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from scanner.errors import UnusableInputError
from scanner.exports.prompts import PROMPT_FORMATS
from scanner.formulas import is_formula
from tests.exports.prompts.planted import CAPTIONS, HOSTILE, left, prompts_of, written

CSV_FIELD = 1 << 20


def _csv_rows(content: bytes) -> list[dict[str, str]]:
    """The rows as the standard library reads them; its limit is the whole process's, so it is put back."""
    limit = csv.field_size_limit(CSV_FIELD)
    try:
        return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    finally:
        csv.field_size_limit(limit)


def _from_csv(content: bytes) -> list[str]:
    rows = _csv_rows(content)
    assert not any(is_formula(cell) for row in rows for cell in row.values())
    return [row["caption"][1:] if "caption" in row["escaped"].split() else row["caption"] for row in rows]


def _lines(content: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in content.decode("utf-8").splitlines()]


def _from_text(content: bytes) -> list[str]:
    read = content.decode("utf-8").splitlines()
    assert read == io.StringIO(content.decode("utf-8"), newline=None).read().split("\n")[:-1]
    return read


def _from_promptfoo_csv(content: bytes) -> list[str]:
    rows = _csv_rows(content)
    assert not any(is_formula(cell) for row in rows for cell in row.values())
    return [_as_promptfoo(row["prompt"]) for row in rows]


def _from_promptfoo_yaml(content: bytes) -> list[str]:
    return [_as_promptfoo(test["vars"]["prompt"]) for test in yaml.load(content, yaml.CSafeLoader)]


def _as_promptfoo(value: str) -> str:
    """Its steps before and after rendering; Jinja2 stands in for Nunjucks, which keeps carriage returns as they are."""
    assert not value.startswith(("file://", "package:"))
    assert not value.endswith("\n")
    return _rendered(value.replace("\r", "\ue000")).replace("\ue000", "\r")


def _from_pyrit(content: bytes) -> list[str]:
    return [_rendered(seed["value"]) for seed in yaml.safe_load(content)["seeds"]]


def _rendered(template: str) -> str:
    assert "{%" not in template
    return SandboxedEnvironment(undefined=StrictUndefined).from_string(template).render()


READERS: dict[tuple[str, str], Callable[[bytes], list[str]]] = {
    ("csv", ".csv"): _from_csv,
    ("jsonl", ".jsonl"): lambda content: [row["caption"] for row in _lines(content)],
    ("parquet", ".parquet"): lambda content: pl.read_parquet(io.BytesIO(content))["caption"].to_list(),
    ("text", ".txt"): _from_text,
    ("wen", ".jsonl"): lambda content: [row["caption"] for row in _lines(content)],
    ("wen", ".parquet"): lambda content: pl.read_parquet(io.BytesIO(content))["caption"].to_list(),
    ("promptfoo", ".csv"): _from_promptfoo_csv,
    ("promptfoo", ".yaml"): _from_promptfoo_yaml,
    ("pyrit", ".prompt"): _from_pyrit,
    ("inspect", ".jsonl"): lambda content: [row["input"] for row in _lines(content)],
    ("garak", ".txt"): lambda content: [line.strip() for line in io.StringIO(content.decode("utf-8"), newline=None)],
    ("garak", ".json"): json.loads,
}


def test_every_format_and_suffix_is_read_back_here() -> None:
    same_reader = {("jsonl", ".ndjson"), ("promptfoo", ".yml"), ("pyrit", ".yaml"), ("pyrit", ".yml")}
    assert {(name, suffix) for name, each in PROMPT_FORMATS.items() for suffix in each.writings} == set(
        READERS
    ) | same_reader


@pytest.mark.parametrize(("name", "suffix"), READERS)
@settings(max_examples=60, deadline=None)
@given(captions=CAPTIONS)
@example(captions=list(HOSTILE))
def test_a_caption_comes_back_unchanged_or_is_refused(name: str, suffix: str, captions: list[str]) -> None:
    prompts = prompts_of(captions)
    carries = left(name, suffix, prompts)
    if len(carries) < len(captions):
        with pytest.raises(UnusableInputError, match=r"Prompt .* can't be written"):
            written(name, suffix, prompts)
    if carries:
        assert READERS[name, suffix](written(name, suffix, prompts, skip=True)) == carries


@pytest.mark.parametrize(
    ("name", "suffix"), [key for key in READERS if key[0] not in ("csv", "text", "garak", "inspect")]
)
def test_most_formats_carry_every_caption(name: str, suffix: str) -> None:
    assert left(name, suffix, prompts_of(HOSTILE)) == list(HOSTILE)


@pytest.mark.parametrize(
    ("name", "suffix", "says"),
    [
        ("csv", ".csv", r"Prompt 4 .* can't be written: its caption holds a null character"),
        (
            "text",
            ".txt",
            r"Prompt 2 of the risk arm \(0+1\) can't be written: its caption is empty, holds a line break",
        ),
        (
            "garak",
            ".txt",
            r"Prompt 2 .*, like 1 more, can't be written: .*garak strips .*a \.json file carries it\. Give ",
        ),
    ],
)
def test_a_refusal_names_the_prompt_the_reason_and_the_way_out(name: str, suffix: str, says: str) -> None:
    with pytest.raises(UnusableInputError, match=says):
        written(name, suffix, prompts_of(["a cat", "a\ncat", " a cat", "a\x00cat"]))


def test_a_list_of_nothing_that_fits_is_refused_even_when_skipping() -> None:
    with pytest.raises(UnusableInputError, match="No prompt can be written in this format"):
        written("text", ".txt", prompts_of(["a\nb", ""]), skip=True)


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_a_suffix_that_the_consumer_would_not_read_is_refused(name: str) -> None:
    with pytest.raises(UnusableInputError, match=f"--format {name} writes .* files; prompts.xyz is not named like one"):
        written(name, ".xyz", prompts_of(["a cat"]))
