"""What to drop or to re-caption, from its table: the totals, risk before and after, and what stays of the heaviest
groups.

>>> count_repair(Run.open(Path("RUN"))).dropped                              # doctest: +SKIP
"""

import polars as pl

from scanner.prompts import agreement_factor
from scanner.report._audit import sample_refs
from scanner.report._findings import Repair, RiskClasses
from scanner.report._records import Mitigated
from scanner.run import Run
from scanner.tables import MITIGATIONS

LISTED_MITIGATIONS = 40
SHOWN_CAPTIONS = 6


def count_repair(run: Run) -> Repair | None:
    """The repair as a whole, and the groups of most copies; None where the run has not worked it out."""
    made = run.manifest().get("parts", {}).get("audit", {}).get("repair")
    if made is None or not MITIGATIONS.exists(run.path):
        return None
    groups = _groups(run)
    again = pl.coalesce("risk_recaptioned", "risk_before")
    return Repair(
        policy=made["keep"],
        order=made["order"],
        kept=made["kept"],
        groups=groups.height,
        dropped=int(groups["dropped"].sum()),
        recaptioned=int(groups["recaptioned"].sum()),
        recaptioned_groups=groups.filter(pl.col("recaptioned") > 0).height,
        # what an agreement of text and picture takes off before is no risk that the new captions add
        riskier=groups.filter(again > pl.col("risk_before") / agreement_factor(0.0)).height,
        before=_classes(groups["class_before"]),
        after_drop=_classes(groups["class_dropped"]),
        after_recaption=_classes(groups.select(pl.coalesce("class_recaptioned", "class_before")).to_series()),
        most=_most(run, groups),
    )


def _groups(run: Run) -> pl.DataFrame:
    """One row per group, by group: what each mitigation does in it."""
    rows = MITIGATIONS.scan(run.path)
    keep = rows.filter(pl.col("mitigation") == "keep").select(
        "group_id",
        "risk_before",
        "class_before",
        "kept",
        copies="copies_before",
        dropped=pl.col("copies_before") - pl.col("copies_after"),
        class_dropped="class_after",
    )
    recaption = (
        rows.filter(pl.col("mitigation") == "recaption")
        .group_by("group_id")
        .agg(
            recaptioned=pl.len().cast(pl.Int64),
            risk_recaptioned=pl.col("risk_after").first(),
            class_recaptioned=pl.col("class_after").first(),
        )
    )
    both = keep.join(recaption, on="group_id", how="left").with_columns(pl.col("recaptioned").fill_null(0))
    return both.sort("group_id").collect()


def _classes(names: pl.Series) -> RiskClasses:
    counts = dict(names.value_counts().iter_rows())
    return RiskClasses(**{name: counts.get(name, 0) for name in ("high", "medium", "low")})


def _most(run: Run, groups: pl.DataFrame) -> tuple[Mitigated, ...]:
    """The groups of most copies, with the row that stays and their captions."""
    most = groups.sort("copies", "group_id", descending=[True, False]).head(LISTED_MITIGATIONS)
    wanted = (pl.col("mitigation") == "keep") & pl.col("group_id").is_in(most["group_id"].implode())
    captions = dict(MITIGATIONS.scan(run.path).filter(wanted).select("group_id", "captions").collect().iter_rows())
    refs = sample_refs(run, most["kept"])
    names = ("group_id", "copies", "dropped", "recaptioned", "risk_before", "risk_recaptioned", "class_before")
    return tuple(
        Mitigated(
            **{name: row[name] for name in (*names, "class_recaptioned")},
            kept=refs.get(row["kept"]),
            captions=tuple(captions[row["group_id"]][:SHOWN_CAPTIONS]),
            distinct_captions=len(captions[row["group_id"]]),
        )
        for row in most.iter_rows(named=True)
    )
