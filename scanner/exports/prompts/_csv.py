"""CSV: every text in quotes, line breaks inside them kept, and no cell that a spreadsheet takes for a formula.

A cell that a spreadsheet may run (`scanner.formulas`) is written behind an apostrophe, as OWASP's page on CSV
injection advises, and its column is named in the row's `escaped`. So a script has the caption back exactly:

    caption = row["caption"][1:] if "caption" in row["escaped"].split() else row["caption"]

A program that is told another separator than the comma sees other cells: import the file as separated by commas. A
caption with a null character is refused.

scanner export RUN --format csv --out prompts.csv
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import AT_ONCE
from scanner.formulas import escape_formulas


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A header and a row a prompt, separated by \\n."""
    for first, part in enumerate(prompts.iter_slices(AT_ONCE)):
        rows = escape_formulas(part).write_csv(include_header=first == 0, quote_style="non_numeric")
        yield rows.encode("utf-8")


CSV = PromptFormat(
    name="csv",
    consumer="spreadsheets and anything that reads CSV",
    writings={
        ".csv": Writing(
            encode=encode,
            carries=~pl.col("caption").str.contains("\x00", literal=True),
            reason="its caption holds a null character, at which pandas and others end a text",
        )
    },
)
