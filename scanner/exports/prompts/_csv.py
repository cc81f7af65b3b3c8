"""CSV: every text in quotes, line breaks inside them kept, and no cell that a spreadsheet takes for a formula.

A cell that a spreadsheet may run (`scanner.exports._formulas`) is written behind an apostrophe, as OWASP's page on CSV
injection advises, and its column is named in the row's `escaped`. So a script has the caption back exactly:

    caption = row["caption"][1:] if "caption" in row["escaped"].split() else row["caption"]

A program that is told another separator than the comma sees other cells: import the file as separated by commas. A
caption with a null character is refused.

scanner export RUN --format csv --out prompts.csv
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports._formulas import is_formula
from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import AT_ONCE


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A header and a row a prompt, separated by \\n."""
    for first, part in enumerate(prompts.iter_slices(AT_ONCE)):
        rows = escape_formulas(part).write_csv(include_header=first == 0, quote_style="non_numeric")
        yield rows.encode("utf-8")


def escape_formulas(prompts: pl.DataFrame) -> pl.DataFrame:
    """An apostrophe before each cell that a spreadsheet would run, and the column `escaped` that says where."""
    texts = [name for name, dtype in prompts.schema.items() if dtype == pl.String]
    runs = {
        name: pl.Series([is_formula(cell) for cell in prompts[name].fill_null("")], dtype=pl.Boolean) for name in texts
    }
    return prompts.with_columns(
        *[pl.when(runs[name]).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name) for name in texts],
        pl.concat_str(
            [pl.when(runs[name]).then(pl.lit(name)) for name in texts], separator=" ", ignore_nulls=True
        ).alias("escaped"),
    )


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
