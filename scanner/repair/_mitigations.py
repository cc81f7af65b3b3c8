"""What to do about duplicate groups, row by row, and what it would do to copies and risk.

Two mitigations, either of which may be carried out in a group:

- **drop**: one row of the group stays, all others go. One copy is left, and the risk is the formula's at one copy: 0,
  or that of the template family that the caption stands over, whose other pictures stay.
  The row that stays comes with the group's different captions: several captions of one image, drawn at random in
  training, copy less than a single one (Somepalli et al. 2023, "Understanding and Mitigating Copying in Diffusion
  Models", https://arxiv.org/abs/2305.20086, which proposes to randomise and augment captions).
- **recaption**: all copies stay, and all rows but one of each caption get a caption of their own; captions that are
  near-duplicates of one another count as one. Each caption is then carried by one copy of `copies`. A row without a
  caption ties the picture to no text, and is not listed.

`risk_after` is what the formula of `scanner.prompts` gives, not a measurement. For a re-captioned group it takes each
new caption to stand under one row of the whole data set, which is what `a caption of its own` means, and to share no
word with the others: captions that share words keep more of the risk. Where the old caption was boilerplate over many
pictures, which points at none of them, that can be a higher risk than before, and the table says so. Nothing here knows
what a model would do: train again and measure.

>>> find_mitigations(rows, Carried(captions=captions, prompts=prompts), "first")      # doctest: +SKIP
"""

import polars as pl

from scanner.repair._captions import Carried, captioned, written_forms
from scanner.repair._policy import in_order, order_of
from scanner.repair._risk import classes, highest_risks, risks_after_recaption
from scanner.tables import MITIGATIONS


def find_mitigations(rows: pl.DataFrame, carried: Carried, policy: str) -> pl.DataFrame:
    """The table `scanner.tables.MITIGATIONS` of these rows: every member of every group.

    `rows` has `sample_id, group_id, caption, width, height` and, where they are carried, `original_width,
    original_height`. Raises UnusableInputError for a policy that is not known.
    """
    order = order_of(policy, rows)
    ordered = in_order(captioned(rows, carried), order)
    groups = _before(ordered, carried)
    stays = pl.col("place") == 0
    first = ordered.filter(stays).select("group_id", kept="sample_id")
    members = ordered.join(first, on="group_id", how="left", maintain_order="left")
    keep = members.filter(stays).join(written_forms(ordered), on="group_id", how="left")
    keep = keep.with_columns(pl.col("captions").fill_null(pl.lit([], dtype=pl.List(pl.String))))
    parts = [
        _described(keep, groups, "keep"),
        _described(members.filter(~stays), groups, "drop"),
        _described(_to_recaption(ordered), groups, "recaption"),
    ]
    return MITIGATIONS.conform(pl.concat(parts))


def _before(ordered: pl.DataFrame, carried: Carried) -> pl.DataFrame:
    """By group what is and what would be: `copies_before, risk_*, class_*`, for dropping and for re-captioning."""
    groups = highest_risks(ordered, carried.prompts).rename(
        {"copies": "copies_before", "risk": "risk_before", "template_risk": "risk_dropped"}
    )
    recaptioned = risks_after_recaption(groups["copies_before"]).alias("risk_recaptioned")
    return groups.with_columns(
        recaptioned,
        class_before=classes(groups["risk_before"]),
        class_dropped=classes(groups["risk_dropped"]),
        class_recaptioned=classes(recaptioned),
    )


def _to_recaption(ordered: pl.DataFrame) -> pl.DataFrame:
    """All rows but the first of each caption of a group, with the first one's sample_id as `kept`."""
    with_caption = ordered.filter(pl.col("near_id").is_not_null())
    under = ["group_id", "near_id"]
    named = with_caption.with_columns(
        kept=pl.col("sample_id").first().over(under), turn=pl.int_range(pl.len()).over(under)
    )
    return named.filter(pl.col("turn") > 0)


def _described(rows: pl.DataFrame, groups: pl.DataFrame, mitigation: str) -> pl.DataFrame:
    """Rows of one mitigation in the table's columns."""
    recaption = mitigation == "recaption"
    way = "recaptioned" if recaption else "dropped"
    captions = pl.lit(None, dtype=pl.List(pl.String)) if "captions" not in rows.columns else pl.col("captions")
    one = pl.lit(1, dtype=pl.Int64)
    return rows.join(groups, on="group_id", how="left").select(
        "sample_id",
        "group_id",
        "kept",
        "copies_before",
        "risk_before",
        "class_before",
        mitigation=pl.lit(mitigation),
        captions=captions,
        copies_after=pl.col("copies_before") if recaption else one,
        risk_after=pl.col(f"risk_{way}"),
        class_after=pl.col(f"class_{way}"),
    )
