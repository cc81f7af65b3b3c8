"""Write the report of a run: one HTML file that needs nothing else, and the same findings in files for programs.

The page holds its style, script and pictures, asks for nothing over a network, and carries a content security
policy that lets run only the script it was made with. Run again on the same tables it writes the same bytes.

    >>> from scanner.report import write_report
    >>> write_report(Run.open(Path("RUN")), pictures=None)                       # doctest: +SKIP
    PosixPath('RUN/report/index.html')
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from scanner.files import replacing
from scanner.report import _show, _words
from scanner.report._files import REPORT, files
from scanner.report._findings import Findings
from scanner.report._gather import gather
from scanner.report._packed import Tables, collect_tables
from scanner.report._page import OURS, render_page, write_page
from scanner.report._pictures import Gallery, OtherRun, Pictures, collect
from scanner.report._records import Hit
from scanner.run import Run

FOLDER = "report"
SHOWN_HITS = 200
"""On the page; all of them stand in the other files."""
SHOWN_PICTURES = 600
"""Pictures of hits on the page, about: with many hits each shows fewer of its generations, but two."""


def report_path(run: Run) -> Path:
    """Where the findings of a run stand as JSON."""
    return run.path / FOLDER / REPORT


def write_report(
    run: Run, pictures: Pictures | None = None, other: OtherRun | None = None, *, blur: bool = False
) -> Path:
    """Write RUN/report/index.html and the files beside it (`scanner.report._files`) from the run's tables; gives the
    page's path.

    `pictures` gives the encoded originals of sample ids; without it, or for ids that it leaves out, the page
    shows the 32 × 32 thumbnails of the samples table and says so. Works in every state of a run: nothing
    read, no groups, no attack yet, no hits. `other` is the run that this one was compared with, for the pictures of
    what stands in both. With `blur` the page opens with all its pictures blurred. An older report is replaced.
    """
    found = gather(run)
    shown = replace(found, hits=_shown(found.hits))
    gallery = collect(run, shown, pictures, other, blur=blur)
    page = render(shown, gallery, collect_tables(run, found), blur=blur)
    folder = run.path / FOLDER
    for name, content in files(found).items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)
    path = folder / "index.html"
    write_page(path, page)
    return path


def _shown(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits of the page with their nearest generations."""
    first = hits[:SHOWN_HITS]
    each = max(2, SHOWN_PICTURES // max(len(first), 1) - 1)
    return tuple(replace(hit, generations=hit.generations[:each]) for hit in first)


def render(found: Findings, gallery: Gallery, tables: Tables, *, blur: bool) -> str:
    """The page."""
    return render_page(
        OURS,
        "index.html.j2",
        found=found,
        gallery=gallery,
        tables=tables,
        blur=blur,
        hits={hit.prompt_id: hit for hit in found.hits},
        groups={group.group_id for group in found.groups},
        figure=partial(figure, found),
    )


def figure(found: Any, path: str, form: str = "number") -> Markup:
    """A figure of a page's model as an element that names where it stands in its JSON: `rows.read`.

    `form`: number (one decimal), fine (three), percent, bare for a percentage without its sign, or known for a number
    that may not be known.
    """
    value: Any = _show.at_path(found, path)
    decimals = {"number": 1, "known": 1, "fine": 3}
    text = _show.number(value, decimals[form]) if form in decimals else _words.percent(value)
    text = "not known" if form == "known" and value is None else text
    text = _words.bare(text) if form == "bare" else _show.glued(text)
    attributes = ("" if value is None else value, path)
    return Markup('<data value="{}" data-path="{}">{}</data>').format(*attributes, text)
