"""What `scanner calibrate` says when it is done: both thresholds in a few lines, or as JSON for other programs.

print_calibration(calibrate_run(run, CalibrateConfig()), as_json=False)
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.table import Table

from pipelines.calibrate import Calibrated
from pipelines.calibration import KindRecord
from pipelines.terminal import open_console, say, show
from scanner.report import calibration_headline, tiny


def print_calibration(made: Calibrated, *, as_json: bool) -> None:
    """The thresholds on standard output."""
    if as_json:
        json.dump({"calibration": str(made.file), "page": str(made.page), **asdict(made.record)}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    console, record = open_console(), made.record
    console.print()
    say(console, calibration_headline(made.found), "bold")
    console.print()
    show(console, _table(made))
    for note in record.notes:
        console.print()
        say(console, note, "dim")
    console.print(f"\nPage: {made.page}", markup=False, soft_wrap=True)
    console.print(f"Use it: scanner audit DATASET --out RUN --calibration {made.file}", markup=False, soft_wrap=True)


def _table(made: Calibrated) -> Table:
    """A column for each use of a cosine, that of this run first."""
    record = made.record
    proposes, decides = ("proposes, with pictures", record.proposes), ("decides, without", record.decides)
    both = (proposes, decides) if record.own_kind == "proposes" else (decides, proposes)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for title, _ in both:
        table.add_column(title)
    for name, lines in _LINES.items():
        table.add_row(name, *(lines(kind) for _, kind in both))
    if record.labels is not None:
        for name, labelled in _LABELLED.items():
            table.add_row(name, *(labelled(kind.precision) for _, kind in both))
    return table


_LINES: dict[str, Callable[[KindRecord], str]] = {
    "threshold": lambda kind: f"{kind.threshold:.4f}",
    "  95 % interval": lambda kind: f"{kind.threshold_low:.4f} to {kind.threshold_high:.4f}",
    "false-positive rate": lambda kind: f"{tiny(kind.reached / kind.pairs)}, asked for {tiny(kind.rate)}",
    "  exact 95 % interval": lambda kind: f"{tiny(kind.rate_low)} to {tiny(kind.rate_high)}",
    "  random pairs": lambda kind: f"{kind.reached:,} of {kind.pairs:,}",
    "by chance per row": lambda kind: f"{kind.candidates_per_row:.3g}",
    "known copies above": lambda kind: f"{kind.known_reached:,} of {kind.known:,}" if kind.known else "none known",
    "left out as copies": lambda kind: f"{kind.left_out:,}, of them {kind.left_out_reached:,} above",
    "vectors": lambda kind: f"{'whitened' if kind.whitened else 'as they are'}, {kind.dims} dimensions",
}
"""A line of the table: its name, and its text for one kind."""


_LABELLED: dict[str, Callable[[dict[str, float | int] | None], str]] = {
    "labelled precision": lambda at: "see the page" if at is None else f"{at['same']:,} of {at['reached']:,}",
    "  exact 95 % interval": lambda at: "" if at is None else f"{at['low']:.1%} to {at['high']:.1%}",
    "  from threshold": lambda at: "" if at is None else f"{at['threshold']:.4f} on",
}
"""The same for the threshold of the wanted precision."""
