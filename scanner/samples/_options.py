"""How a data set is read: which layout, which columns, and which of its rows.

>>> Options(where="punsafe < 0.5", sample=0.01).where
'punsafe < 0.5'
"""

from dataclasses import dataclass, field

from scanner.samples._columns import Columns


@dataclass(frozen=True, kw_only=True)
class Options:
    """The settings of `open_dataset`, all optional."""

    layout: str | None = None
    """Name of the layout; by default the data are looked at."""
    columns: Columns = field(default_factory=Columns)
    """Columns named by the user."""
    where: str | None = None
    """SQL condition on a row's columns; rows that it does not hold for are set aside before they are decoded."""
    sample: float | None = None
    """Share of the rows to read, above 0 to 1, chosen by a hash of the key."""
    carry: tuple[str, ...] = ()
    """Columns to carry through to the run."""
    limit: int | None = None
    """Most rows to read, of those that `where` and `sample` leave."""
