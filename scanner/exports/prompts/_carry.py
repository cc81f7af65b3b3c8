"""Which prompts a format can carry: the others are refused, or left out and counted when that is asked for."""

import polars as pl

from scanner.errors import UnusableInputError
from scanner.exports.prompts._format import Writing


def carried(prompts: pl.DataFrame, writing: Writing, *, skip: bool) -> pl.DataFrame:
    """The prompts that come back unchanged from the consumer's reader.

    Raises UnusableInputError when there are others and they may not be skipped, or when none is left.
    """
    fits = prompts.select(writing.carries.alias("fits")).to_series()
    fits = fits.new_from_index(0, len(prompts)) if len(fits) == 1 else fits
    others = prompts.filter(~fits)
    if others.is_empty():
        return prompts
    if not skip:
        raise UnusableInputError(f"{_which(others)}: {writing.reason}. Give --skip-unwritable to leave it out.")
    if len(others) == len(prompts):
        raise UnusableInputError(f"No prompt can be written in this format, since of each {writing.reason}.")
    return prompts.filter(fits)


def _which(others: pl.DataFrame) -> str:
    first = others.row(0, named=True)
    more = f", like {len(others) - 1:,} more," if len(others) > 1 else ""
    return f"Prompt {first['rank']} of the {first['arm']} arm ({first['prompt_id']}){more} can't be written"
