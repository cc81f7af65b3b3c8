"""An audit leaves the captions table and the groups' near-duplicate captions behind, counted from its own samples."""

import polars as pl

from scanner.duplicates.captions import normalise_captions, prompt_ids
from scanner.run import Run
from scanner.tables import CAPTIONS, GROUPS, PROMPTS, SAMPLES


def test_every_caption_of_the_data_set_is_in_the_table(small_run: Run) -> None:
    captions, normal = small_run.read(CAPTIONS), normalise_captions(small_run.read(SAMPLES)["caption"]).drop_nulls()
    expected = pl.DataFrame({"id": prompt_ids(normal)}).group_by("id").len("rows").sort("id")
    assert captions.select("prompt_id", "rows").rows() == expected.rows()
    assert small_run.manifest()["tables"]["captions"] == captions.height


def test_prompts_count_the_same_pictures(small_run: Run) -> None:
    both = small_run.read(PROMPTS).join(small_run.read(CAPTIONS), on="prompt_id")
    assert both.height == small_run.read(PROMPTS).height
    assert both["caption_groups"].to_list() == both["pictures"].to_list()


def test_groups_are_compared(small_run: Run) -> None:
    groups = small_run.read(GROUPS)
    assert groups["near_captions"].null_count() == 0
    assert (groups["near_captions"] <= groups["distinct_captions"]).all()
    assert (groups["near_top_share"] >= groups["top_caption_share"]).all()
