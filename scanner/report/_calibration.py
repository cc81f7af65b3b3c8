"""The page of a calibration, and what it says in words: one HTML file that needs nothing else.

In the report's style, with its charts drawn inline, and under the same content security policy.

    >>> write_calibration(found, table, Path("RUN/calibration.html"), Source(...))   # doctest: +SKIP
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from scanner.duplicates import Calibration, KindCalibration
from scanner.report import _calibration_charts, _show, _words
from scanner.report._intervals import rate
from scanner.report._page import OURS, packaged, policy, write_page


@dataclass(frozen=True, kw_only=True)
class CalibratedRun:
    """What the page names as its source."""

    dataset: str
    """Name of the data set."""
    model: str
    """Name of the model, with its weights."""
    labels: str | None
    """Name of the file of labels."""


def tiny(share: float | None) -> str:
    """A share of random pairs: `1.2 · 10⁻⁶`, from 0.1 % on as per cent, and 0 as it is."""
    if share is None or share >= 1e-3:
        return _words.percent(share)
    if share <= 0:
        return "0"
    mantissa, exponent = f"{share:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')} · {_calibration_charts.power_of_ten(int(exponent))}".removeprefix("1 · ")


def calibration_notes(found: Calibration) -> tuple[str, ...]:
    """What the figures rest on and what they do not say, in sentences."""
    notes = [_pairs_note(found), LEFT_OUT[found.left_out_by].format(found=found)]
    if found.proposes.accepted.total:
        notes.append(
            "Known copies are the pairs that this run accepted. Each had been proposed by its cosine or hash, so that "
            "copies which neither proposes are not among them, and their share is no recall of all copies."
        )
    if found.own.labelled is not None:
        notes.append(
            "Precision is that of the labelled pairs, and holds for other pairs only if these were drawn from them at "
            "random; a threshold that was chosen on the labels looks a little better on them than it is."
        )
    wanted = found.settings.precision
    notes += [
        f"No threshold has a precision of {wanted:.3g} on the labelled pairs in the cosine that {kind.kind}."
        for kind in (found.decides, found.proposes)
        if wanted is not None and kind.precise is None
    ]
    if not found.proposes.whitened:
        notes.append(
            f"Too few pictures or directions to whiten, as in an audit of this set: {found.proposes.embedding}."
        )
    return tuple(notes)


LEFT_OUT = {
    "groups": "Pairs inside one of the run's groups are no random pairs and are left out; copies that the run did not "
    "find are still among them, so that the false-positive rates are rather too high than too low.",
    "hashes": "The run's groups are not made yet: pairs within 8 bits of the perceptual hash are left out as copies. "
    "Copies that the hash misses raise the false-positive rates.",
    "similarity": "This run had no pictures, so that its groups were made by the cosine itself; pairs inside them are "
    "left out. The rate at and above the cosine that made them can't be told from this run: the rate with all of these "
    "pairs counted bounds it from above, and only a labelled sample tells it.",
    "nothing": "The run's groups are not made yet and it has no pictures: copies are still among the random pairs, and "
    "raise the false-positive rates.",
}
"""What was done about copies among the random pairs, by how they were known."""


def _pairs_note(found: Calibration) -> str:
    total = found.own.unlike.total + found.own.left_out.total
    if found.every_pair:
        return (
            f"All {total:,} pairs of the {found.distinct:,} distinct pictures were compared: the rates are those of "
            "this set, and their intervals those of as many independent pairs. Pairs share pictures, so that for "
            "pictures of another source the intervals are too narrow."
        )
    return (
        f"{total:,} pairs of the {found.distinct:,} distinct pictures were drawn independently: the intervals hold for "
        "the pairs of this set, and say nothing of another."
    )


def calibration_headline(found: Calibration) -> str:
    """The threshold that a data set like this run's needs, in one sentence."""
    own = found.own
    share = f"{tiny(own.threshold.reached / own.threshold.pairs)} of the random pairs"
    verb = "proposes" if own.kind == "proposes" else "takes for copies"
    return f"A cosine of {own.threshold.cosine:.4f} {verb} {share}."


def write_calibration(found: Calibration, table: pl.DataFrame, path: Path, source: CalibratedRun) -> Path:
    """Write the page; `table` holds the rows of `scanner.tables.CALIBRATION`. An older page is replaced."""
    style = "".join(packaged(OURS, name) for name in ("style.css", "charts.css", "calibration.css"))
    page = _template().render(
        found=found,
        kinds=sorted((found.decides, found.proposes), key=lambda kind: kind.kind != found.own.kind),
        rows={kind: _shown(part) for (kind,), part in table.partition_by("kind", as_dict=True).items()},
        source=source,
        headline=calibration_headline(found),
        notes=calibration_notes(found),
        style=Markup(style),  # noqa: S704 - the package's own files
        policy=policy(style, ""),
    )
    write_page(path, page)
    return path


def _shown(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Of one kind's thresholds those from 0.05 to 0.05, at the stated and at round rates."""
    steps = (pl.col("cosine") * 20 - (pl.col("cosine") * 20).round()).abs() < 1e-6
    off_grid = (pl.col("cosine") * 200 - (pl.col("cosine") * 200).round()).abs() > 1e-6
    some = (pl.col("rate") < 0.5) & ((pl.col("reached") > 0) | (pl.col("known_reached") > 0))
    return rows.filter(pl.col("chosen") | ((steps | off_grid) & some)).sort("cosine").to_dicts()


def labelled_rate(kind: KindCalibration) -> str:
    """Precision of the threshold that was chosen on the labels, with its exact interval."""
    if kind.precise is None:
        return "–"
    found = rate(kind.precise.same, kind.precise.reached)
    return f"{_words.percent(found.share)}, {_words.interval(found)}"


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    filters = (_words.percent, _show.number, _show.cut, _show.glued, tiny)
    functions = (
        *(_calibration_charts.histogram, _calibration_charts.rate_curve, _calibration_charts.found_curve),
        *(_words.count, labelled_rate),
    )
    environment.filters |= {function.__name__: function for function in filters}
    environment.globals |= {function.__name__: function for function in functions}
    return environment.from_string(packaged(OURS, "calibration.html.j2"))
