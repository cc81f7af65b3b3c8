"""How a page is made: its template, style and script in one file, under a policy that lets nothing else run.

A page holds its style, script and pictures and asks for nothing over a network. Rooms that write a page of their own
bring a template and, where they need it, further style; the macros, filters and charts are the report's.

    >>> render_page("scanner.report", "index.html.j2", found=found, gallery=gallery)     # doctest: +SKIP
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from scanner.files import replacing
from scanner.report import _attack_charts, _charts, _review, _show, _words

OURS = "scanner.report"
"""The package whose style, script and macros every page has."""
SCRIPTS = ("page.js", "lists.js", "packed.js", "tables.js", "pictures.js")
"""Parts of the one script of every page, in this order."""
FILTERS = (_words.percent, _words.interval, _show.number, _show.cut, _show.glued)
FUNCTIONS = (
    *(_words.count, _words.finest, _words.lost_original, _show.web_link, _review.by_eye, _review.review_words),
    *(_charts.interval_bar, _charts.risk_bar, _charts.extraction_curve, _charts.copies_chart, _charts.paired_columns),
    *(_attack_charts.detector_chart, _attack_charts.distance_chart, _attack_charts.caption_chart),
)
"""What a template may call, by the functions' own names."""


def render_page(package: str, template: str, *, styles: Sequence[str] = (), **content: Any) -> str:
    """The page of a template that lies in `package`, with the report's script and its style, and the package's own
    `styles` after it. The template gets `content`, and `style`, `script` and `policy`."""
    ours = (packaged(OURS, name) for name in ("style.css", "charts.css"))
    style = "".join([*ours, *(packaged(package, name) for name in styles)])
    script = page_script()
    return (
        _environment(package)
        .get_template(template)
        .render(
            style=Markup(style),  # noqa: S704 - the packages' own files
            script=Markup(script),  # noqa: S704 - the package's own file
            policy=policy(style, script),
            **content,
        )
    )


def page_script() -> str:
    """The script that every page of the report's kind holds."""
    return "".join(packaged(OURS, name) for name in SCRIPTS)


def write_page(path: Path, page: str) -> None:
    """Write a page whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


@cache
def _environment(package: str) -> Environment:
    def load(name: str) -> str | None:
        found = [place for place in (package, OURS) if resources.files(place).joinpath(name).is_file()]
        return packaged(found[0], name) if found else None

    environment = Environment(
        loader=FunctionLoader(load), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {function.__name__: function for function in FILTERS}
    environment.globals |= {function.__name__: function for function in FUNCTIONS}
    return environment


def packaged(package: str, name: str) -> str:
    """A text file of a package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def policy(style: str, script: str) -> str:
    """A content security policy: our script, our style, pictures inside the page, and nothing else."""
    allowed = [f"style-src {_hash(style)}", f"script-src {_hash(script)}", "img-src data:"]
    return "; ".join(["default-src 'none'", "form-action 'none'", "base-uri 'none'", *allowed])


def _hash(content: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() + "'"
