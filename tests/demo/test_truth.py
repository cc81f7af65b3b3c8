"""The truth table: groups as planned, and every row of it found again in the data set."""

import io
from collections import Counter

import numpy as np
import polars as pl
from PIL import Image

from scanner.demo import truth, truth_path
from scanner.demo._edits import KINDS
from scanner.demo._plan import SHARED
from tests.demo.reading import PICTURE_ENDINGS, Built

GROUPS = {256: 3, 128: 8, 64: 10, 32: 16, 16: 16, 8: 20, 4: 24, 2: 40}
NATURAL = 30
UNREADABLE = ("empty", "truncated", "html", "bomb", "missing_image")


def readable(truth_table: pl.DataFrame) -> pl.DataFrame:
    """The rows that show their picture."""
    lost = [f"broken_{what}" for what in UNREADABLE] + ["failed_download", "failed_resize"]
    return truth_table.filter(~pl.col("kind").is_in(lost))


def with_captions(built: Built) -> pl.DataFrame:
    return readable(built.truth).join(built.rows, on=["shard", "key"], validate="1:1")


def test_columns(built: Built) -> None:
    table = truth(truth_path(built.path))
    assert table.schema == {
        "shard": pl.String, "key": pl.String, "picture": pl.Int64, "group_copies": pl.Int64, "kind": pl.String,
        "original_key": pl.String, "caption_kind": pl.String, "agreeing": pl.Boolean,
    }  # fmt: skip
    assert table.null_count().sum_horizontal().item() == 0


def test_sizes_of_groups(built: Built) -> None:
    natural = built.truth.filter(kind="natural")["picture"]
    pictures = readable(built.truth).group_by("picture").agg(pl.len(), pl.col("group_copies").unique())
    assert pictures["group_copies"].list.len().unique().to_list() == [1]
    assert (
        pictures["group_copies"].list.first().cast(pl.Int64).equals(pictures["len"].cast(pl.Int64), check_names=False)
    )
    sizes = Counter(pictures.filter(~pl.col("picture").is_in(natural.to_list()))["len"].to_list())
    assert sizes == {**GROUPS, 1: 1183}
    assert len(natural) == natural.n_unique() == NATURAL
    assert pictures.filter(pl.col("picture").is_in(natural.to_list()))["len"].to_list() == [2] * NATURAL


def test_rows_and_distinct_pictures(built: Built) -> None:
    assert 4_500 <= len(built.truth) <= 5_500
    assert built.truth["picture"].n_unique() >= 1_200
    originals = built.truth["original_key"].unique()
    pixels = {
        (image.size, image.tobytes())
        for image in (Image.open(io.BytesIO(built.file(key))) for key in originals)
        if image.mode == "RGB"
    }
    assert len(pixels) == len(originals) == built.truth["picture"].n_unique()


def test_originals_are_first_rows(built: Built) -> None:
    first = built.truth.filter(pl.col("key") == pl.col("original_key"))
    assert first["picture"].is_unique().all()
    assert set(first["kind"]) == {"original", "single", "broken_caption"}
    picture_of = dict(first.select("key", "picture").iter_rows())
    assert all(picture_of[key] == picture for key, picture in built.truth.select("original_key", "picture").iter_rows())


def test_kinds_of_copies(built: Built) -> None:
    copies = built.truth.filter(pl.col("kind").is_in(list(KINDS)))
    counts = Counter(copies["kind"].to_list())
    assert set(counts) == set(KINDS)
    assert min(counts[kind] for kind in KINDS) >= 180
    by_group = copies.group_by("picture").agg(exact=(pl.col("kind") == "exact").all(), n=pl.len())
    edited = copies.group_by("picture").agg(share=(~pl.col("kind").is_in(["exact", "rewrapped"])).mean(), n=pl.len())
    assert (
        by_group.filter("exact", pl.col("n") > 6).height >= sum(GROUPS[copies] for copies in GROUPS if copies > 4) // 4
    )
    mixed = edited.filter(pl.col("n") >= 15, pl.col("share") > 0)["share"]
    assert mixed.is_between(0.45, 0.55).all()


def test_agreeing_is_what_the_captions_say(built: Built) -> None:
    by_picture = (
        with_captions(built)
        .group_by("picture")
        .agg(
            pl.len(), pl.col("caption").n_unique(), pl.col("agreeing").unique().item(), pl.col("caption_kind").unique()
        )
    )
    assert ((by_picture["caption"] == 1) == by_picture["agreeing"]).all()
    heavy = by_picture.filter(pl.col("len") >= 32)
    assert heavy.height == 37
    assert heavy["agreeing"].sum() >= 30
    several = by_picture.filter(~pl.col("agreeing"), pl.col("len") >= 8)["caption"]
    assert several.is_between(3, 6).all()


def test_kinds_of_captions(built: Built) -> None:
    rows = with_captions(built)
    captions = {
        kind[0]: part["caption"].to_list() for kind, part in rows.partition_by("caption_kind", as_dict=True).items()
    }
    assert set(captions) == {"one", "several", "html", "emoji", "shared", "missing", "empty"}
    assert all("<b>" in caption and "&amp;" in caption for caption in captions["html"])
    assert all("🎨" in caption for caption in captions["emoji"])
    assert Counter(captions["shared"]) == SHARED
    assert all(caption is None for caption in captions["missing"] + captions["empty"])
    assert all("txt" not in built.members[key] for key in rows.filter(caption_kind="missing")["key"])
    assert all(built.members[key]["txt"] == b"" for key in rows.filter(caption_kind="empty")["key"])


def test_every_row_is_in_a_tar_or_has_failed(built: Built) -> None:
    assert built.rows.select("shard", "key").equals(built.truth.select("shard", "key"))
    failed = pl.col("kind").str.starts_with("failed_")
    assert set(built.members) == set(built.truth.filter(~failed)["key"])
    status = built.rows.join(built.truth, on="key")
    assert (
        status.filter(failed)
        .select(same=pl.col("status") == pl.col("kind").str.replace("failed_", "failed_to_", literal=True))["same"]
        .all()
    )
    assert status.filter(failed)["kind"].value_counts().sort("kind").rows() == [
        ("failed_download", 8),
        ("failed_resize", 2),
    ]
    assert status.filter(failed)["error_message"].null_count() == 0
    assert set(status.filter(~failed)["status"]) == {"success"}
    assert status.filter(~failed)["error_message"].null_count() == status.filter(~failed).height
    without = {key for key, files in built.members.items() if not set(files) & set(PICTURE_ENDINGS)}
    assert without == set(built.truth.filter(kind="broken_missing_image")["key"])


def test_lost_rows_are_further_copies_of_different_groups(built: Built) -> None:
    lost = built.truth.filter(pl.col("kind").str.contains(f"^failed_|^broken_({'|'.join(UNREADABLE)})$"))
    assert lost.height == 2 * len(UNREADABLE) + 10
    assert lost["picture"].is_unique().all()
    assert (lost["group_copies"] >= 2).all()


def test_rows_are_shuffled(built: Built) -> None:
    largest = built.truth.with_row_index().filter(group_copies=256)
    assert np.ptp(largest["index"].to_numpy()) > 4_000
    assert largest["shard"].n_unique() == 5
