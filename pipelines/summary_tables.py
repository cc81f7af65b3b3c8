"""The tables of a summary: what was read and found, both arms of an attack, hits by copies.

>>> [title for title, _ in tables(gather(run), wide=True, bars=False)]                   # doctest: +SKIP
['', 'Attack', 'Verified by copies in the training set']
"""

from collections.abc import Iterator, Sequence

from rich.table import Table

from pipelines.terminal import bar, columns, plain
from scanner.report import Arm, Coverage, Findings, Rate, percent, recall_words

_NAMES = {"risk": "high-risk", "control": "control"}
_STYLES = {"risk": "red", "control": "bright_black"}
INTERVAL = "exact 95 % interval"


def tables(found: Findings, *, wide: bool, bars: bool) -> Iterator[tuple[str, Table]]:
    """Each with its title, the first without; `wide` has room for notes, `bars` draws shares."""
    facts = columns("", " ", left=(" ",))
    facts.show_header = False
    for name, said in _facts(found):
        facts.add_row(f"[dim]{name}[/dim]", plain(said))
    yield "", facts
    if found.attacked:
        yield "Attack", _arms(found.arms, compared=found.compared)
    if found.attacked and found.compared:
        points = [(p.label, p.arm, p.verified, p.above_control) for p in found.curve if p.verified.tried]
        yield "Verified by copies in the training set", _by_copies(points, wide=wide, bars=bars)
    if found.unconditional is not None:
        rates = [(p.label, "risk", p.memorised, None) for p in found.unconditional.by_copies]
        yield "Memorised by copies in the training set", _by_copies(rates, wide=wide, bars=bars)


def _facts(found: Findings) -> Iterator[tuple[str, str]]:
    rows, duplicates = found.rows, found.duplicates
    aside = f" + {rows.set_aside:,} set aside" if rows.set_aside else ""
    yield "rows", f"{rows.rows_in:,} = {rows.read:,} read + {rows.failed:,} failed" + aside
    share = f" ({percent(duplicates.share)} of the rows read)" if duplicates.share is not None else ""
    largest = f", the largest of {duplicates.largest:,}" if duplicates.groups else ""
    yield "duplicates", f"{duplicates.rows:,} rows{share} in {duplicates.groups:,} groups{largest}"
    yield "recall", recall_words(found.recall)
    if found.repair is not None and found.repair.groups:
        yield "repair", f"{found.repair.dropped:,} rows to drop, or {found.repair.recaptioned:,} to re-caption"
    if found.matches is not None:
        matches = found.matches
        said = f"{matches.rows:,} rows, which show {matches.pictures:,} of its pictures"
        yield "in both sets", f"{matches.dataset}: {said}"
    if found.ranking is not None:
        yield "risk classes", ", ".join(f"{one.prompts:,} {one.name}" for one in found.ranking.classes)
        if found.ranking.coverage is not None:
            yield "covered", _covered(found.ranking.coverage)
    if not found.attacked and found.unconditional is None:
        risk, control = found.arms
        yield "prompts", f"{risk.prompts:,} high-risk and {control.prompts:,} control prompts ranked"
    if found.eidetic is not None:
        k = found.eidetic
        yield "k of the hits", f"{k.smallest:,} to {k.largest:,} training rows, median {k.median:,}"
    yield from _unconditional(found)


def _covered(coverage: Coverage) -> str:
    """`170 of 170 groups; the first 100 prompts 93.2 % of the duplicated rows, all 241 100 %`."""
    steps = [
        f"the first {step.prompts:,} prompts {percent(step.duplicated_share)}"
        for step in coverage.steps
        if step.duplicated_share is not None
    ]
    said = f"; of the duplicated rows {', '.join(steps)}" if steps else ""
    return f"{coverage.covered:,} of {coverage.groups:,} groups{said}"


def _unconditional(found: Findings) -> Iterator[tuple[str, str]]:
    outcome = found.unconditional
    if outcome is None:
        return
    yield "images", f"{outcome.images:,}, {outcome.evaluations:,} denoiser evaluations"
    yield "memorised", f"{outcome.memorised:,} pictures; by the paper's rule {outcome.paper_pictures:,}"
    rate = outcome.controls_within
    yield "controls that pass", f"{rate.hits:,} of {rate.tried:,} ({INTERVAL} {_interval(rate)})"


def _arms(arms: Sequence[Arm], *, compared: bool) -> Table:
    """The funnel of both arms down to the rate that counts."""
    table = columns("", *(_NAMES[arm.arm] for arm in arms))
    for name in ("ranked", "tried", "attacked"):
        table.add_row(name, *(f"{arm.prompts if name == 'ranked' else getattr(arm, name):,}" for arm in arms))
    rates = [arm.verified if compared else arm.cliques for arm in arms]
    rule = "verified, of those tried" if compared else "cliques, of those attacked"
    table.add_row(f"[bold]{rule}[/bold]", *(f"[bold]{_of(rate)}[/bold]" for rate in rates))
    table.add_row("  share", *(percent(rate.share) for rate in rates))
    table.add_row(f"  {INTERVAL}", *map(_interval, rates))
    if compared:
        table.add_row("different originals", *(f"{arm.originals:,}" for arm in arms))
        table.add_row("the paper's l2 rule alone", *(_of(arm.paper_rule) for arm in arms))
    return table


def _by_copies(points: Sequence[tuple[str, str, Rate, bool | None]], *, wide: bool, bars: bool) -> Table:
    names = ("copies", "", "share", INTERVAL)
    table = columns(*names, *((" ",) if bars else ()), *(("  ",) if wide else ()), left=(" ", "  "))
    for column in table.columns:
        column.no_wrap = True
    for label, arm, rate, above in points:
        name = f"{label} (control)" if arm == "control" else label
        drawn = (bar(rate.share or 0, _STYLES[arm]),) if bars else ()
        note = (f"[dim]{'above control' if above else ''}[/dim]",) if wide else ()
        table.add_row(name, _of(rate), percent(rate.share), _interval(rate), *drawn, *note)
    return table


def _of(rate: Rate) -> str:
    return f"{rate.hits:,} of {rate.tried:,}"


def _interval(rate: Rate) -> str:
    return f"{percent(rate.low).removesuffix(' %')} to {percent(rate.high)}" if rate.tried else "–"
