"""What keeps a comparison's figures from being read as the effect of a change in the data: said before the figures.

>>> warnings(compare(a, b), ())                                              # doctest: +SKIP
('What counts as a copy is not the same in both runs: threshold (0.9, then 0.95). ...',)
"""

from collections.abc import Sequence

from scanner.compare._model import Comparison
from scanner.compare._records import Identity
from scanner.compare._settings import RANKED_BY
from scanner.compare._words import are, named
from scanner.report import count

BY = {
    "pixels": "equal decoded pixels",
    "url": "equal urls",
    "key": "equal keys",
    "row": "equal shards and keys",
}
"""By identity, how groups were matched."""


def warnings(found: Comparison, broken: Sequence[str]) -> tuple[str, ...]:
    """What keeps the figures from being read as the effect of a change in the data, most important first."""
    lines = [
        *(
            f"The tables of a run do not agree with one another; use no figure before that is clear ({line})"
            for line in broken
        ),
        *_unfinished(found),
        *_search_warnings(found),
        *_identity_warnings(found),
        *_rows_warnings(found),
    ]
    return tuple(lines)


def _unfinished(found: Comparison) -> list[str]:
    return [
        f"The attack of {side.name} is not finished: its hits are not compared; give its scanner attack again."
        for side in (found.before, found.after)
        if not side.complete
    ]


def _search_warnings(found: Comparison) -> list[str]:
    lines = []
    if found.before.duplicates.pictures != found.after.duplicates.pictures:
        which = "before" if found.before.duplicates.pictures else "after"
        lines.append(
            f"Only the run {which} looked at pictures; in the other one a cosine of embeddings decided alone. Groups "
            "that are gone, new or changed may be so for that reason."
        )
    search = [one for one in found.differences if one.part == "search"]
    if search:
        lines.append(
            f"What counts as a copy is not the same in both runs: {named(search)}. Groups that are gone, new or "
            "changed, and the risks that follow from them, may be so for that reason alone."
        )
    own = [one for one in found.differences if one.name == "trainset-scanner"]
    if own:
        lines.append(
            f"The runs were made by versions {own[0].before} and {own[0].after} of the scanner: the search or the risk "
            "formula may have changed. Audit both with one version to be sure."
        )
    return lines


def _identity_warnings(found: Comparison) -> list[str]:
    groups, lines = found.groups, []
    known = {one.name: one for one in found.identities}
    pixels, matched = known.get("pixels"), known.get(groups.identity)
    if groups.identity == "url" and pixels is not None:
        lines.append(
            f"Groups are matched by {BY['url']}: by their pixels {count(_again(pixels), 'row')} of the run before "
            f"{are(_again(pixels))} in the run after, by their urls {_again(known['url']):,}. The pictures were stored "
            "anew, and a search in other pixels may find other copies."
        )
    elif groups.identity != "pixels":
        lines.append(
            f"Groups are matched by {BY[groups.identity]}, since there are no pictures in both runs"
            + (
                "."
                if groups.identity == "url"
                else " and no urls: names that agree by chance would be taken for one row."
            )
        )
    if matched is None or not matched.both:
        lines.append(
            f"No row of one run is known again in the other (by {BY[groups.identity]}): all groups count as gone and "
            "new. These are other data sets, or their pictures were stored anew."
        )
    if groups.ambiguous:
        lines.append(
            f"{count(groups.ambiguous, 'value')} that groups are matched by "
            f"{'stands' if groups.ambiguous == 1 else 'stand'} in several groups of one run and matched nothing."
        )
    return lines


def _again(identity: Identity) -> int:
    return identity.known_before - identity.rows_gone


def _rows_warnings(found: Comparison) -> list[str]:
    asked = [one for one in found.differences if one.part == "rows" and one.name in ("where", "sample", "limit")]
    prompts = [one for one in found.differences if one.part == "prompts" and one.name == "captions_per_group"]
    formulas = [one for one in found.differences if one.name in RANKED_BY]
    lines = []
    if asked:
        lines.append(
            f"Another part of the data was asked for: {named(asked)}. Rows and groups may be gone or new for it."
        )
    if formulas:
        lines.append(
            f"The risks were computed in another way: {named(formulas)}. Prompts, risks and classes may be gone, new "
            "or changed for that reason alone."
        )
    if prompts:
        lines.append(f"Prompts were ranked otherwise: {named(prompts)}; some are gone or new for that reason.")
    return lines
