"""Write a comparison: one HTML file that needs nothing else, and the same findings as JSON.

DIR/index.html      opens from a folder, asks for nothing over a network
DIR/compare.json    `scanner.compare.Comparison`

>>> write_comparison(compare(a, b), a, b, Path("DIR"))                       # doctest: +SKIP
PosixPath('DIR/index.html')
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from scanner.compare._hits import LISTED as LISTED_HITS
from scanner.compare._listed import LISTED as LISTED_GROUPS
from scanner.compare._model import Comparison
from scanner.compare._prompts import LISTED as LISTED_PROMPTS
from scanner.compare._records import GroupRef, HitChange, PromptChange
from scanner.compare._warnings import BY
from scanner.errors import UnusableInputError
from scanner.prompts import BOUNDARIES
from scanner.report import Picture, figure, render_page, thumbnails, write_page
from scanner.run import Run, write_json

PAGE, MODEL = "index.html", "compare.json"
SHOWN_PARTS = 3
"""Thumbnails of a group that was split or merged."""


@dataclass(frozen=True, kw_only=True)
class Thumbnails:
    """The pictures of a page, by sample_id."""

    before: Mapping[int, Picture]
    """Those of run A."""
    after: Mapping[int, Picture]
    """Those of run B."""

    @property
    def sensitive(self) -> int:
        """Rows of either run whose picture is shown and sensitive."""
        return sum(picture.sensitive for side in (self.before, self.after) for picture in side.values())


def refuse_occupied(folder: Path) -> None:
    """Raises UnusableInputError when `folder` holds something else than an earlier comparison."""
    if folder.exists() and not folder.is_dir():
        raise UnusableInputError(f"{folder} is a file; name a directory for the comparison with --out.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MODEL).exists():
        raise UnusableInputError(
            f"{folder} holds files that are no comparison; name a new or an empty directory with --out."
        )


def write_comparison(found: Comparison, before: Run, after: Run, folder: Path, *, blur: bool = False) -> Path:
    """Write `folder`/index.html and `folder`/compare.json; gives the page's path. An older comparison is replaced.
    With `blur` the page opens with all its pictures blurred.

    Raises UnusableInputError as `refuse_occupied` does; nothing is written into the runs, unless `folder` lies there.
    """
    refuse_occupied(folder)
    page = render(found, collect(found, before, after, blur=blur), blur=blur)
    write_page(folder / PAGE, page)
    write_json(folder / MODEL, asdict(found))
    return folder / PAGE


def render(found: Comparison, pictures: Thumbnails, *, blur: bool) -> str:
    """The page."""
    return render_page(
        "scanner.compare",
        "compare.html.j2",
        styles=("compare.css",),
        found=found,
        pictures=pictures,
        blur=blur,
        by=BY,
        boundaries=BOUNDARIES,
        caps={"groups": LISTED_GROUPS, "prompts": LISTED_PROMPTS, "hits": LISTED_HITS},
        figure=partial(figure, found),
    )


def collect(found: Comparison, before: Run, after: Run, *, blur: bool) -> Thumbnails:
    """The thumbnails of the listed groups, prompts and hits, from both samples tables."""
    old = {one for change in found.group_changes for one in _medoids(change.before)}
    new = {one for change in found.group_changes for one in _medoids(change.after)}
    rows: list[PromptChange | HitChange] = [*found.prompt_changes, *found.hit_changes]
    old |= {row.sample_before for row in rows if row.sample_before is not None}
    new |= {row.sample_after for row in rows if row.sample_after is not None}
    return Thumbnails(before=thumbnails(before, old, blur=blur), after=thumbnails(after, new, blur=blur))


def _medoids(groups: Iterable[GroupRef]) -> list[int]:
    return [group.medoid for group in groups if group.medoid is not None][:SHOWN_PARTS]
