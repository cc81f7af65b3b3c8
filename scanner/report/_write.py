"""Write the report of a run: one HTML file that needs nothing else, and the same findings as JSON.

The page holds its style, script and pictures, asks for nothing over a network, and carries a content security
policy that lets run only the script it was made with. Run again on the same tables it writes the same bytes.

    >>> from scanner.report import write_report
    >>> write_report(Run.open(Path("RUN")), pictures=None)                       # doctest: +SKIP
    PosixPath('RUN/report/index.html')
"""

import base64
import hashlib
from dataclasses import asdict
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from scanner.files import replacing
from scanner.report import _charts, _show, _words
from scanner.report._findings import Findings
from scanner.report._gather import gather
from scanner.report._pictures import Gallery, OtherRun, Pictures, collect
from scanner.run import Run, write_json

FOLDER = "report"


def write_report(run: Run, pictures: Pictures | None = None, other: OtherRun | None = None) -> Path:
    """Write RUN/report/index.html and RUN/report/report.json from the run's tables; gives the page's path.

    `pictures` gives the encoded originals of sample ids; without it, or for ids that it leaves out, the page
    shows the 32 × 32 thumbnails of the samples table and says so. Works in every state of a run: nothing
    read, no groups, no attack yet, no hits. `other` is the run that this one was compared with, for the pictures of
    what stands in both. An older report is replaced.
    """
    found = gather(run)
    page = render(found, collect(run, found, pictures, other))
    folder = run.path / FOLDER
    write_json(folder / "report.json", asdict(found))
    path = folder / "index.html"
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def render(found: Findings, gallery: Gallery) -> str:
    """The page."""
    style, script = _packaged("style.css"), _packaged("page.js")
    return _template().render(
        found=found,
        gallery=gallery,
        hits={hit.prompt_id: hit for hit in found.hits},
        groups={group.group_id for group in found.groups},
        figure=partial(figure, found),
        style=Markup(style),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        policy=_policy(style, script),
    )


FILTERS = (_words.percent, _words.interval, _show.number, _show.cut, _show.glued)
FUNCTIONS = (
    *(_words.count, _words.finest, _show.web_link),
    *(_charts.interval_bar, _charts.risk_bar, _charts.extraction_curve, _charts.copies_chart),
)
"""What the template may call, by the functions' own names."""


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.globals |= {function.__name__: function for function in FUNCTIONS}
    return environment.from_string(_packaged("index.html.j2"))


def figure(found: Findings, path: str, form: str = "number") -> Markup:
    """A figure of the findings as an element that names where it stands in report.json: `rows.read`.

    `form`: number, percent, or bare for a percentage without its sign.
    """
    value: Any = _show.at_path(found, path)
    text = _show.number(value, 1) if form == "number" else _words.percent(value)
    text = _words.bare(text) if form == "bare" else _show.glued(text)
    attributes = ("" if value is None else value, path)
    return Markup('<data value="{}" data-path="{}">{}</data>').format(*attributes, text)


def _packaged(name: str) -> str:
    return resources.files("scanner.report").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """A content security policy: our script, our style, pictures inside the page, and nothing else."""
    allowed = [f"style-src {_hash(style)}", f"script-src {_hash(script)}", "img-src data:"]
    return "; ".join(["default-src 'none'", "form-action 'none'", "base-uri 'none'", *allowed])


def _hash(content: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"
