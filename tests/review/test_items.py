"""What there is to review, and that its keys follow the pictures and not ids, thresholds or captions."""

from pathlib import Path

import polars as pl
import pytest

from scanner.fingerprints import pixel_sha256
from scanner.review import list_items, pair_key
from scanner.run import Run
from scanner.samples import decode
from scanner.tables import GENERATIONS, GROUPS, HITS, MEMBERS, MEMORISED, SAMPLES, UNCONDITIONAL
from tests.report.planted import noisy, overwrite, picture, png
from tests.review.planted import EVIDENCE, Planned, items_of, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


def test_hits_then_what_was_not_verified_then_groups(run: Run) -> None:
    items = list_items(run)
    kinds = [(row["kind"], row["arm"]) for row in items.iter_rows(named=True)]
    assert kinds == [("hit", "risk")] * 6 + [("hit", "control")] + [("unverified", "risk")] * 2 + [("group", None)] * 8
    assert items["item"].n_unique() == 17
    assert items["item"].str.len_chars().unique().to_list() == [32]


def test_a_pair_is_the_generation_that_the_distances_are_of_and_its_original(run: Run) -> None:
    first = list_items(run).row(0, named=True)
    assert first["image_index"] == EVIDENCE + 1  # the seed that hits.parquet names
    made = pixel_sha256(decode(png(noisy(picture(0), 0.03, 1))))
    assert first["item"] == pair_key(made, pixel_sha256(picture(0)))


def test_without_a_seed_the_nearest_generation_stands_for_the_pair(tmp_path: Path) -> None:
    plain = list_items(make_reviewed_run(tmp_path / "a"))
    seedless = list_items(make_reviewed_run(tmp_path / "b", Planned(seeds=False)))
    assert seedless["image_index"].to_list() == plain["image_index"].to_list()
    assert seedless["item"].to_list() == plain["item"].to_list()


def test_keys_follow_the_pictures_through_other_ids_captions_and_verdicts(run: Run, tmp_path: Path) -> None:
    other = make_reviewed_run(tmp_path / "other", Planned(offset=5))
    overwrite(
        other, HITS, verdict=pl.when(pl.col("verdict") == "matching").then(pl.lit("retrieved")).otherwise("verdict")
    )
    one, two = list_items(run), list_items(other)
    assert one["sample_id"].to_list() != two["sample_id"].to_list()
    assert one["item"].to_list() == two["item"].to_list()


def test_how_often_a_picture_stands_there_does_not_matter_but_which_pictures_do(run: Run, tmp_path: Path) -> None:
    more = make_reviewed_run(tmp_path / "more", Planned(copies=7))
    assert items_of(list_items(run), "group") == items_of(list_items(more), "group")
    members = run.read(MEMBERS).filter(pl.col("sample_id") != 1)  # the edited picture of the first group
    MEMBERS.write(run.path, members)
    changed = items_of(list_items(run), "group")
    assert [a == b for a, b in zip(changed, items_of(list_items(more), "group"), strict=True)] == [False] + [True] * 7


def test_a_hit_whose_images_are_not_stored_is_an_item_still(run: Run) -> None:
    before = list_items(run)
    GENERATIONS.clear(run.path)
    after = list_items(run)
    assert items_of(after, "unverified") == []  # nothing to look at
    assert len(items_of(after, "hit")) == 7
    assert not set(items_of(after, "hit")) & set(items_of(before, "hit"))
    assert after["image_index"].null_count() == after.height


def test_a_damaged_generation_is_an_item_of_its_own_bytes(run: Run) -> None:
    frame = run.read(GENERATIONS)
    damaged = (
        pl.when(pl.col("image_index") == EVIDENCE + 1).then(pl.col("png").bin.slice(0, 60)).otherwise(pl.col("png"))
    )
    GENERATIONS.write(run.path, frame.with_columns(png=damaged), part="attack-00000")
    assert list_items(run)["item"].n_unique() == 17


def test_rows_without_pixels_are_named_by_the_data_set(run: Run) -> None:
    hashed = list_items(run)
    rows = SAMPLES.read(run.path).with_columns(pixel_sha256=pl.lit(None, dtype=pl.String))
    SAMPLES.write(run.path, rows, part="00000")
    named = list_items(run)
    assert named["item"].n_unique() == 17
    assert not set(named["item"]) & set(hashed["item"])


def test_an_audit_alone_has_its_groups(run: Run) -> None:
    (run.path / HITS.path).unlink()
    GENERATIONS.clear(run.path)
    assert list_items(run)["kind"].unique().to_list() == ["group"]


def test_a_model_without_prompts_has_its_memorised_pictures(run: Run) -> None:
    (run.path / HITS.path).unlink()
    made = {"image_index": 4, "seed": 1, "steps": 9, "sample_id": 0, "l2": 0.1, "png": png(noisy(picture(0), 0.02, 1))}
    UNCONDITIONAL.write(run.path, UNCONDITIONAL.frame([made]), part="00000")
    found = {"sample_id": 0, "group_id": 0, "copies": 3, "memorised": True, "image_index": 4, "adaptive_l2": 0.5}
    MEMORISED.write(run.path, MEMORISED.frame([found]))
    first = list_items(run).row(0, named=True)
    assert (first["kind"], first["verdict"], first["image_index"]) == ("memorised", "memorised", 4)
    assert first["item"] == pair_key(pixel_sha256(noisy(picture(0), 0.02, 1)), pixel_sha256(picture(0)))


def test_an_empty_run_has_nothing(tmp_path: Path) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": "none/"})
    GROUPS.write(run.path, GROUPS.empty())
    assert list_items(run).is_empty()
