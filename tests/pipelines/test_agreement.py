"""Text-image agreement of an audited run: measured where its model has a text tower, and else the reason why not."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipelines.agreement import AgreementSummary, open_agreement
from pipelines.audit import audit
from pipelines.configs import AuditConfig
from pipelines.embedding import open_source
from pipelines.engines import LocalEngine
from scanner.fingerprints import load_embedder
from scanner.run import Run
from scanner.samples import open_dataset
from scanner.tables import MEMBERS, SAMPLES
from tests.fingerprints.coloured_clip import COLOURS, CONTEXT, square
from tests.samples.embedded import names, unit, write_clip_retrieval

WRONG = "red"
"""Colour that the mislabelled rows are said to have, and don't."""


@pytest.fixture(scope="module")
def model(coloured_clip) -> str:
    return f"local-dir:{coloured_clip}"


def write_squares(folder, count: int) -> None:
    """A folder of squares in turn of each colour: rightly labelled, but for each eighth, and one very long caption."""
    folder.mkdir()
    for row in range(count):
        colour = list(COLOURS)[row % 7]
        named = WRONG if row % 8 == 7 else colour
        Image.fromarray(square(colour, 5000 + row, side=64)).save(folder / f"{row:03d}.png")
        caption = f"a {named} square" + " square" * (20 if row == 3 else 0)
        (folder / f"{row:03d}.txt").write_text(caption, encoding="utf-8")


@pytest.fixture(scope="module")
def run(model, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("squares")
    write_squares(folder / "data", 56)
    return audit(folder / "data", folder / "run", AuditConfig(model=model, control=5, close_looks=0), LocalEngine())


def test_the_right_caption_of_every_row_agrees_most_with_it(run, model):
    agreement, said = open_agreement(run, load_embedder(model))
    assert agreement is not None
    samples = run.read(SAMPLES).select("sample_id", colour=pl.col("key").cast(pl.Int64) % 7)
    captions = pl.DataFrame({"caption": [f"a {colour} square" for colour in COLOURS]})
    table = agreement(samples.join(captions, how="cross")).to_numpy().reshape(56, 7)
    assert table.argmax(axis=1).tolist() == samples["colour"].to_list()
    assert 0 <= table.min() <= table.max() <= 1
    singles = 56 - run.read(MEMBERS).height
    assert singles > 40
    assert asdict(said) == {
        "measured": True,
        "reason": None,
        "reference_pairs": singles,
        "mean_cosine": said.mean_cosine,
        "captions_cut": 1,
        "context_length": CONTEXT,
    }
    assert said.mean_cosine is not None
    assert 0.3 < said.mean_cosine < 0.9


def test_rows_that_are_labelled_wrongly_agree_least(run, model):
    agreement, _ = open_agreement(run, load_embedder(model))
    assert agreement is not None
    rows = run.read(SAMPLES).with_columns(row=pl.col("key").cast(pl.Int64))
    rows = rows.with_columns(agreement=agreement(rows.select("caption", "sample_id")))
    wrong = pl.col("row").is_in([row for row in range(56) if row % 8 == 7 and row % 7 != 0])
    assert rows.filter(wrong)["agreement"].max() < rows.filter(~wrong)["agreement"].min()
    assert abs(float(rows["agreement"].mean()) - 0.5) < 0.05


def test_opened_again_it_gives_the_same_numbers(run, model):
    pairs = run.read(SAMPLES).select("caption", "sample_id")
    (one, said), (other, again) = (open_agreement(run, load_embedder(model, batch=batch)) for batch in (16, 3))
    assert one is not None
    assert other is not None
    assert said.reference_pairs == again.reference_pairs
    assert np.abs(one(pairs).to_numpy() - other(pairs).to_numpy()).max() < 0.02


def test_the_demo_model_measures_none_and_says_why(tmp_path):
    write_squares(tmp_path / "data", 4)
    run = audit(tmp_path / "data", tmp_path / "run", AuditConfig(model="demo", close_looks=0), LocalEngine())
    reason = "demo has no text tower, so captions can't be compared with pictures."
    assert open_agreement(run, load_embedder("demo")) == (None, AgreementSummary(measured=False, reason=reason))


def test_embeddings_of_the_data_set_measure_none_and_say_why(tmp_path):
    data = write_clip_retrieval(tmp_path / "data", [(unit(40, 16), names(40))], 1)
    config = AuditConfig(control=5)
    run = audit(data, tmp_path / "run", config, LocalEngine())
    source = open_source(open_dataset(data), config)
    reason = "The embeddings came with the data set: no model is known that could embed its captions."
    assert open_agreement(run, source.embedder) == (None, AgreementSummary(measured=False, reason=reason))


def test_without_its_tokenizer_a_model_measures_none_and_says_what_to_do(run, model, tmp_path):
    folder = shutil.copytree(model.removeprefix("local-dir:"), tmp_path / "model")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "bert-base-uncased"
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    agreement, said = open_agreement(run, load_embedder(f"local-dir:{folder}"))
    assert (agreement, said.measured) == (None, False)
    assert said.reason == f"The tokenizer of local-dir:{folder} can't be loaded; put its files into {folder}."


def test_too_few_pairs_measure_none_and_say_how_many_there_are(model, tmp_path):
    write_squares(tmp_path / "data", 19)
    config = AuditConfig(model=model, control=5, close_looks=0)
    run = audit(tmp_path / "data", tmp_path / "run", config, LocalEngine())
    agreement, said = open_agreement(run, load_embedder(model))
    assert (agreement, said.measured) == (None, False)
    assert said.reason == (
        f"Only {said.reference_pairs} captioned rows are in no duplicate group, and at least 20 are needed to say what "
        "an ordinary agreement is."
    )
    assert 0 < said.reference_pairs <= 19
