"""The review recipe: what there is to look at, earlier decisions, and the page until Ctrl-C.

scanner review RUN
"""

import getpass
import os
import sys
import webbrowser
from pathlib import Path

from rich.console import Console

from pipelines.configs import ReviewOptions
from pipelines.review._desk import Desk
from pipelines.review._server import serve
from pipelines.review._summary import print_review
from scanner.errors import UnusableInputError
from scanner.review import (
    Journal,
    MadeImages,
    list_items,
    read_decisions,
    reviewer_name,
    standing,
    summarise_reviews,
    take_over,
)
from scanner.run import Run


def review(run: Run, options: ReviewOptions, earlier: Path | None, *, as_json: bool) -> None:
    """Show the page until it is stopped from the keyboard; with `summary` or `as_json`, print the figures instead.

    Decisions of the run `earlier` about the same pictures are taken over first. Raises UnusableInputError when there is
    nothing to review, or `earlier` is no run.
    """
    only_figures = options.summary or as_json
    name = None if only_figures else reviewer_name(options.reviewer or _login_name())
    before = None if earlier is None else Run.open(earlier)
    say = Console(highlight=False, stderr=only_figures, soft_wrap=True)
    made = MadeImages(run)
    items = list_items(run, made)
    if items.is_empty():
        raise UnusableInputError(
            f"{run.path} has no duplicate group and no compared image, so there is nothing to review yet."
        )
    if before is not None:
        taken = take_over(run.path, before.path, set(items["item"]))
        say.print(f"{taken:,} decisions about the same pictures taken over from {before.path}.", markup=False)
    if name is None:
        print_review(run, summarise_reviews(items, standing(read_decisions(run.path))), as_json=as_json)
        return
    desk = Desk(run, Journal(run.path, name), items, made)
    _show(desk, options, say)
    written = desk.journal.count
    said = f"{written:,} decisions were written in this session." if written else "Nothing was decided in this session."
    say.print(f"\n{said} `scanner report {run.path}` puts them into the report.", markup=False)


def _show(desk: Desk, options: ReviewOptions, say: Console) -> None:
    with serve(desk, options.port) as server:
        say.print(f"Review {desk.items.height:,} items as {desk.journal.reviewer}: {server.url}", markup=False)
        say.print("Decisions are kept as they are made; Ctrl-C ends the review.", markup=False)
        sys.stdout.flush()
        if options.browser and _has_browser():
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UnusableInputError("Nobody knows who is reviewing; give your name as --reviewer.") from error


def _has_browser() -> bool:
    """Whether there is a screen: without one, a text browser would take the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
