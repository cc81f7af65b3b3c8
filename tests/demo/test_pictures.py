"""The pictures that ship: frozen, distinct, each with a caption of its own."""

import hashlib
import io
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import scanner.demo
from pipelines.curate._titles import folded
from scanner.demo import demo_pictures
from scanner.demo._pictures import demo_links
from scanner.demo._plan import caption_variants

FROZEN = {
    "pictures.parquet": "d0fd6814f14aa5f2c2dcfc660461a826fb1e042ddd7d72f76a62e9e22c558eca",
    "links.parquet": "6470f6847ecdcc6239673a5749bc8fd9512eb9fa9bd59a7f170f0792be74bf9d",
}
"""The demo's target was trained on these files."""


def test_the_files_are_those_that_the_target_was_trained_on() -> None:
    folder = Path(scanner.demo.__file__).parent
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FROZEN} == FROZEN
    assert sum((folder / name).stat().st_size for name in FROZEN) < 4_000_000


def test_columns() -> None:
    pictures = demo_pictures()
    assert pictures.schema == {
        "picture": pl.Int64, "caption": pl.String, "author": pl.String, "source": pl.String,
        "categories": pl.String, "family": pl.String, "heavy": pl.Boolean, "webp": pl.Binary,
    }  # fmt: skip
    assert len(pictures) >= 1_200
    assert pictures["picture"].to_list() == list(range(len(pictures)))
    assert pictures.drop("family").null_count().sum_horizontal().item() == 0
    assert pictures["source"].is_unique().all()


def test_captions_are_unique_after_folding() -> None:
    texts = demo_pictures()["caption"].to_list() + demo_links()["caption"].to_list()
    assert len({folded(text) for text in texts}) == len(texts)
    assert all(len(folded(text).split()) >= 2 and text.isprintable() and "\ufffd" not in text for text in texts)


def test_every_picture_decodes_to_its_size() -> None:
    for webp in demo_pictures()["webp"]:
        image = Image.open(io.BytesIO(webp))
        image.load()
        assert (image.format, image.mode) == ("WEBP", "RGB")
        assert 128 <= max(image.size) <= 160


def test_heavy_pictures_are_enough_and_have_no_family() -> None:
    heavy = demo_pictures().filter("heavy")
    assert len(heavy) >= 37
    assert heavy["family"].null_count() == len(heavy)


def test_second_paths_belong_to_pictures() -> None:
    links = demo_links()
    assert links["picture"].is_unique().all()
    assert set(links["picture"]) <= set(demo_pictures()["picture"])
    assert not set(links["source"]) & set(demo_pictures()["source"])


@given(st.text(min_size=1).filter(folded), st.text())
def test_variants_of_a_caption_are_six_and_begin_with_itself(caption: str, author: str) -> None:
    variants = caption_variants(caption, author)
    assert variants[0] == caption
    assert len(set(variants)) == 6


def test_variants_of_the_shipped_captions_are_of_one_picture_each() -> None:
    pictures = demo_pictures().select("caption", "author").iter_rows()
    variants = [folded(text) for caption, author in pictures for text in caption_variants(caption, author)]
    assert len(set(variants)) == len(variants)
