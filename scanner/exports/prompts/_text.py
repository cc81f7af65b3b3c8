"""Plain text: one caption a line, by rank, as it is.

A caption is refused when a reader could take it for another number of lines, or change it: it is empty, holds a line
break of any kind that Unicode knows, or begins with a byte order mark. Blanks around a caption are kept; a reader that
strips its lines loses them.

scanner export RUN --format text --out prompts.txt
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import AT_ONCE

LINE_BREAK = r"[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"
"""What `str.splitlines` cuts at, and so more than any reader of lines."""
ONE_LINE = (
    ~pl.col("caption").str.contains(LINE_BREAK)
    & (pl.col("caption") != "")
    & ~pl.col("caption").str.starts_with("\ufeff")
)


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """Captions and nothing else, the last line ended too."""
    for part in prompts.iter_slices(AT_ONCE):
        yield "".join(f"{caption}\n" for caption in part["caption"]).encode("utf-8")


TEXT = PromptFormat(
    name="text",
    consumer="anything that reads a prompt a line",
    writings={
        ".txt": Writing(
            encode=encode,
            carries=ONE_LINE,
            reason="its caption is empty, holds a line break or begins with a byte order mark, and a prompt is a line",
        )
    },
)
