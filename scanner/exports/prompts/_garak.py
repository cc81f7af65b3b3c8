"""garak's stubs of an intent: one prompt a line (.txt), or a JSON list of strings (.json) that carries every caption.

garak finds such a file by the intent's code in its name, as in `data/cas/intent_stubs/S003_captions.json`. It strips
each line of a text file and knows no escape, so captions with a line break or with blanks around them are refused
there, and so are empty ones. garak holds stubs as a set: their order is lost. (Read: `intentservice` of 0.17.)

scanner export RUN --format garak --out S003_captions.json
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts import _text
from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import scalar

_STRIPPED = r"^[\s\x1c-\x1f]|[\s\x1c-\x1f]$"
"""What `str.strip` takes away: Unicode's white space and the four separators of ASCII."""


def encode_list(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A list of strings, one a line."""
    yield ("[\n" + ",\n".join(scalar(caption) for caption in prompts["caption"]) + "\n]\n").encode("utf-8")


GARAK = PromptFormat(
    name="garak",
    consumer="garak's intent stubs",
    writings={
        ".txt": Writing(
            encode=_text.encode,
            carries=_text.ONE_LINE & ~pl.col("caption").str.contains(_STRIPPED),
            reason="its caption is empty, holds a line break, or begins or ends in blanks, which garak strips from a "
            "line; a .json file carries it",
        ),
        ".json": Writing(encode=encode_list),
    },
)
