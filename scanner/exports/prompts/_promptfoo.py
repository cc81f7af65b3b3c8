"""promptfoo's tests: CSV, whose headers are variables and `__` columns, or YAML, a list of tests (`tests: file://P`).

`prompt` and `url` are variables for `prompts: ["{{prompt}}"]`; every other column is metadata, as text, to filter by.
promptfoo renders variables as Nunjucks, takes `file://` and `package:` at their start for something to load (and runs
it), and drops one line break at their end. So a variable is a template that renders to the caption: `_templates`, and
an empty expression before or after where the start or the end would be read. The same expression keeps a cell from
being a formula. Every caption fits. With PROMPTFOO_DISABLE_TEMPLATING, or a prompt that is a JSON document,
promptfoo doesn't render variables: then captions with tags show that way of writing.

https://www.promptfoo.dev/docs/configuration/test-cases/ (read: the loader and `renderPrompt` of 0.123)

scanner export RUN --format promptfoo --out tests.csv
"""

import re
from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import AT_ONCE, scalar
from scanner.exports.prompts._templates import NOTHING, without_tags
from scanner.formulas import is_formula

VARIABLES = {"caption": "prompt", "url": "url"}
"""Columns that promptfoo has as variables: those whose text is the data set's."""
_LOADED = re.compile(r"file://|package:")


def encode_csv(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A header and a row a test, separated by \\n."""
    for first, part in enumerate(prompts.iter_slices(AT_ONCE)):
        yield _table(part).write_csv(include_header=first == 0, quote_style="non_numeric").encode("utf-8")


def encode_yaml(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A test an entry; every text in double quotes."""
    for part in prompts.iter_slices(AT_ONCE):
        yield "".join(_entry(row) for row in _table(part).iter_rows(named=True)).encode("utf-8")


def variable(text: str) -> str:
    """What promptfoo's rendering turns into `text`, and no spreadsheet runs."""
    template = without_tags(text)
    before = NOTHING if _LOADED.match(text) or is_formula(text) else ""
    return before + template + (NOTHING if text.endswith("\n") else "")


def _table(prompts: pl.DataFrame) -> pl.DataFrame:
    texts = [
        pl.Series(variable_name, [variable(text) for text in prompts[column].fill_null("")], dtype=pl.String)
        for column, variable_name in VARIABLES.items()
    ]
    title = pl.format("{} {}: {}", "arm", "rank", "reason").alias("__description")
    rest = prompts.drop(*VARIABLES).cast(pl.String)
    metadata = [pl.Series(f"__metadata:{each.name}", map(_inert, each), dtype=pl.String) for each in rest]
    return prompts.select(*texts, title, *metadata)


def _inert(text: str | None) -> str | None:
    """Metadata is not rendered but loaded and opened all the same; the scanner's own words never begin like this."""
    return f"'{text}" if text and (_LOADED.match(text) or is_formula(text)) else text


def _entry(row: dict[str, str | None]) -> str:
    metadata = {key.removeprefix("__metadata:"): text for key, text in row.items() if key.startswith("__metadata:")}
    values = {name: row[name] or "" for name in VARIABLES.values()}
    return (
        f"- description: {scalar(row['__description'] or '')}\n"
        "  vars:\n"
        + "".join(f"    {name}: {scalar(text)}\n" for name, text in values.items())
        + "  metadata:\n"
        + "".join(f"    {name}: {scalar(text)}\n" for name, text in metadata.items() if text is not None)
    )


_YAML = Writing(encode=encode_yaml)
PROMPTFOO = PromptFormat(
    name="promptfoo",
    consumer="promptfoo's tests",
    writings={".csv": Writing(encode=encode_csv), ".yaml": _YAML, ".yml": _YAML},
)
