"""What differs in how both runs were made: settings of the scan and the attack, and versions.

>>> [one.name for one in differences(method(a), method(b))]    # doctest: +SKIP
['dataset']
"""

from collections.abc import Mapping, Sequence

from scanner.compare._records import Difference
from scanner.report import Method, Setting
from scanner.run import Run
from scanner.tables import FILES

PARTS: Mapping[str, str] = {
    **dict.fromkeys(("captions_per_group", "control", "seed"), "prompts"),
    **dict.fromkeys(
        ("dataset", "layout", "where", "sample", "limit", "carry", "caption_column", "url_column", "key_column"), "rows"
    ),
    **dict.fromkeys(("image_column", "download"), "rows"),
}
"""By the first part of a setting's name, what it decides on; every other setting of a scan has a say in what counts as
a copy."""
RANKED_BY = ("audit.risk_formula", "audit.agreement.measured")
"""Lines of a run's results that say how its prompts were ranked."""
ORDER = ("search", "rows", "prompts", "attack", "versions")
NOT_RECORDED = "not recorded"


def differences(before: Method, after: Method) -> tuple[Difference, ...]:
    """Every line of the settings and versions that is not the same, those that weigh most first."""
    found = [
        *_differing(before.scan, after.scan, None),
        *_differing(_ranked_by(before), _ranked_by(after), "prompts"),
        *(_differing(before.attack, after.attack, "attack") if before.attack and after.attack else ()),
        *_differing(before.versions, after.versions, "versions"),
    ]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.part), one.name)))


def _ranked_by(side: Method) -> list[Setting]:
    return [line for line in side.results if line.name in RANKED_BY]


def same_files(before: Run, after: Run) -> bool:
    """Whether both read the same files of one place in the same state."""
    if before.config.get("dataset") != after.config.get("dataset"):
        return False
    old, new = (run.read(FILES).select("shard", "file", "state") for run in (before, after))
    return bool(old.height) and old.equals(new)


def _differing(before: Sequence[Setting], after: Sequence[Setting], part: str | None) -> list[Difference]:
    old, new = ({line.name: line for line in lines} for lines in (before, after))
    return [
        Difference(
            part=part or PARTS.get(name.split(".")[0], "search"),
            name=name,
            before=old[name].value if name in old else NOT_RECORDED,
            after=new[name].value if name in new else NOT_RECORDED,
            meaning=(old.get(name) or new[name]).meaning,
        )
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or old[name].value != new[name].value
    ]
