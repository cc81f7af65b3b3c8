"""The ranking against a slow obvious version of it, on small sets of every shape."""

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scanner.prompts import RankConfig, ranking
from tests.prompts.obvious import rank_obviously
from tests.prompts.planted import family, plant

CAPTIONS = st.sampled_from(
    [
        *("fox", "Fox!", "red fox", "wood", "sea wood", "sea", None, "..."),
        *("red fox deep snow", "red fox deep snow etsy", "snow deep fox red"),
    ]
)


@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(st.lists(CAPTIONS, min_size=2, max_size=7), max_size=5),
    st.lists(CAPTIONS, max_size=6),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_same_list_as_a_slow_obvious_version(
    groups: list[list[str | None]], singles: list[str | None], size: int, most: int
) -> None:
    planted = plant(groups, singles)
    alone = list(range(sum(map(len, groups)), len(planted.samples)))
    pictures = [*planted.groups["group_id"].to_list()[:1], *alone[:size]]
    families = (
        family(planted, min(pictures), pictures if len(pictures) > 1 else []) if pictures else family(planted, 0, [])
    )
    found = ranking(
        planted.samples, planted.members, planted.groups, RankConfig(captions_per_group=most), families=families
    )
    expected = rank_obviously(planted, families, most)
    rows = found.prompts.select("prompt_id", "group_id", "family_id").rows()
    assert rows == [row[:3] for row in expected.prompts]
    assert found.prompts["risk"].to_list() == pytest.approx([row[3] for row in expected.prompts])
    assert found.prompts["prompt_id"].is_unique().all()
    assert found.prompts["covered_rows"].to_list() == expected.covered
    assert dict(found.left_out.select("group_id", "reason").iter_rows()) == expected.left_out
    taken = found.left_out.filter(pl.col("reason") == "caption_taken")["prompt_id"]
    assert taken.is_in(found.prompts["prompt_id"].implode()).all()
    coverage = found.coverage
    assert coverage.groups == coverage.covered + coverage.no_caption + coverage.caption_taken
    assert [step.rows for step in coverage.steps] == expected.covered[-1:]
