"""The part of an audit that ranks: captions × copies become the prompts of both arms, with what they cover.

rank(run, config)    # writes prompts.parquet and left_out.parquet

Of the samples only the columns that are needed are read, and only the rows of groups and families in full: 10 million
rows take minutes and a few GB (`tests/benchmarks/test_ranking.py`).
"""

from dataclasses import asdict
from typing import Any

import polars as pl

from pipelines.configs import AuditConfig
from scanner.errors import UnusableInputError
from scanner.prompts import AskAgreement, RankConfig, draw_controls, list_checksum, ranking
from scanner.run import Run
from scanner.tables import CAPTIONS, FAMILIES, GROUPS, LEFT_OUT, MEMBERS, PROMPTS, SAMPLES


def rank(run: Run, config: AuditConfig, agreement: AskAgreement | None = None) -> dict[str, Any]:
    """Write the prompts table, the risk arm and then the control arm, and the groups left out; returns the coverage.

    Raises UnusableInputError, and writes nothing, when the run was attacked with another list.
    """
    samples = SAMPLES.scan(run.path).select("sample_id", "shard", "caption", "url")
    members = MEMBERS.scan(run.path).select("sample_id", "group_id").collect()
    captions, families = CAPTIONS.scan(run.path), FAMILIES.read(run.path)
    found = ranking(
        samples,
        members,
        GROUPS.scan(run.path).select("group_id", "copies", "medoid").collect(),
        RankConfig(captions_per_group=config.captions_per_group),
        captions=captions,
        families=families,
        agreement=agreement,
    )
    control = draw_controls(
        samples,
        members,
        found.prompts,
        count=config.control,
        seed=config.seed,
        captions=captions,
        families=families,
    )
    prompts = pl.concat([found.prompts, control])
    _refuse_another_list(run, prompts)
    PROMPTS.write(run.path, prompts)
    LEFT_OUT.write(run.path, found.left_out)
    return asdict(found.coverage)


def _refuse_another_list(run: Run, prompts: pl.DataFrame) -> None:
    """An attack's verdicts are read beside the list that it was made with, so that list stays."""
    attack = run.part_config("attack")
    if attack is None:
        return
    if list_checksum(prompts, risk=attack["prompts"], control=attack["control"]) != attack["prompt_list"]:
        raise UnusableInputError(
            f"{run.path} was attacked with another prompt list than would be ranked now, and keeps it; audit into "
            "another directory and attack that."
        )
