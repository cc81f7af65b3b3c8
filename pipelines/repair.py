"""The part of an audit that says what to do about its groups: the mitigations table, and how it came about.

repair(run, "largest")                # writes mitigations.parquet
mitigations_of(run, "first")          # the same under another policy, without changing the run
"""

import json
from dataclasses import asdict, dataclass

import polars as pl

from pipelines.configs import KEEP_POLICIES
from scanner.carried import read_carried
from scanner.errors import UnusableInputError
from scanner.repair import ORIGINAL_SIZE, Carried, find_mitigations, order_of
from scanner.run import Run, write_json
from scanner.tables import CAPTIONS, MEMBERS, MITIGATIONS, PROMPTS, SAMPLES

_POLICY_FILE = "keep.json"


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What the manifest says of it."""

    keep: str
    """The keep-one policy."""
    order: str
    """What it came to: pixels, original_pixels, caption or first."""
    kept: str
    """Which row stays, in words."""


def repair(run: Run, keep: str) -> Repair:
    """Write the mitigations table under a keep-one policy."""
    rows = _members(run)
    MITIGATIONS.write(run.path, find_mitigations(rows, _carried(run), keep))
    order = order_of(keep, rows)
    return Repair(keep=keep, order=order.name, kept=order.words)


def as_summary(made: Repair) -> dict[str, dict[str, str]]:
    """For the audit's part of the manifest."""
    return {"repair": asdict(made)}


def remember_policy(run: Run, keep: str | None) -> str:
    """The policy to go by, kept in the run so that an audit that was stopped need not be told again: the given one,
    that of an earlier try, or the default."""
    file = run.path / _POLICY_FILE
    if keep is None:
        keep = str(json.loads(file.read_text(encoding="utf-8"))["keep"]) if file.exists() else KEEP_POLICIES[0]
    write_json(file, {"keep": keep})
    return keep


def mitigations_of(run: Run, keep: str | None) -> tuple[pl.DataFrame, Repair]:
    """The run's mitigations as they are, or anew under another policy.

    Raises UnusableInputError where the run has none, for it was made before audits wrote them.
    """
    if keep is not None:
        rows = _members(run)
        order = order_of(keep, rows)
        made = Repair(keep=keep, order=order.name, kept=order.words)
        return find_mitigations(rows, _carried(run), keep), made
    known = _known(run)
    if not known or not MITIGATIONS.exists(run.path):
        raise UnusableInputError(
            f"{run.path} says nothing of what to drop, for it was made before audits did; audit the data set into "
            "another directory, or name a policy with --keep."
        )
    return run.read(MITIGATIONS), Repair(**known)


def _known(run: Run) -> dict[str, str]:
    return dict(run.manifest().get("parts", {}).get("audit", {}).get("repair", {}))


def _members(run: Run) -> pl.DataFrame:
    """The members of all groups with their captions and sizes; of the samples' files no other column is read."""
    columns = ("sample_id", "caption", "width", "height")
    members = MEMBERS.scan(run.path).select("sample_id", "group_id")
    rows = SAMPLES.scan(run.path).select(columns).join(members, on="sample_id", how="inner").collect()
    if not set(ORIGINAL_SIZE) <= set(run.config.get("carry") or ()):
        return rows
    return rows.join(read_carried(run.path).select("sample_id", *ORIGINAL_SIZE), on="sample_id", how="left")


def _carried(run: Run) -> Carried:
    captions = run.read(CAPTIONS)
    if not CAPTIONS.exists(run.path) or "near_id" not in captions.columns:
        raise UnusableInputError(
            f"{run.path} has not counted its captions, for it was made before audits did; audit the data set into "
            "another directory."
        )
    return Carried(captions=captions, prompts=run.read(PROMPTS))
