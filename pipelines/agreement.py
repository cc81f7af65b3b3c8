"""Open the measure of how well captions agree with their pictures, or say why a run has none.

    agreement, said = open_agreement(run, source.embedder, engine.progress)
    if agreement is not None:
        prompts = prompts.with_columns(agreement=agreement(prompts.select("caption", sample_id="medoid")))
    run.finish("audit", {"agreement": asdict(said)})

It is measured where the model that embedded the pictures has a text tower whose tokenizer is at hand. An audit goes on
without it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipelines.engines import Progress, Silent
from scanner.errors import ScannerError
from scanner.fingerprints import Embedder, TextEmbedder
from scanner.prompts import FEWEST_REFERENCES, Agreement, draw_references, measure_pairs
from scanner.run import Run
from scanner.tables import MEMBERS, SAMPLES


@dataclass(frozen=True, kw_only=True)
class AgreementSummary:
    """What the manifest says of text-image agreement."""

    measured: bool
    """Whether captions are compared with their pictures."""
    reason: str | None = None
    """Why not, one sentence; None where it is measured."""
    reference_pairs: int = 0
    """Captioned rows in no group whose cosines scale the others."""
    mean_cosine: float | None = None
    """Their mean cosine, −1 to 1."""
    captions_cut: int = 0
    """Of their captions, those longer than the model's context window, whose ends were not seen."""
    context_length: int | None = None
    """Tokens in that window, those that mark start and end included."""


def open_agreement(
    run: Run, embedder: Embedder | None, progress: Progress | None = None
) -> tuple[Agreement | None, AgreementSummary]:
    """The measure for a run whose samples, embeddings and groups are there, and what the manifest says of it.

    `embedder` is what embedded the run's pictures; None where the embeddings came with the data set. The measure is
    None where there is no text tower or tokenizer, or where too few rows can scale it; the summary says which. Raises
    ScannerError when the run's embeddings can't be read.
    """
    try:
        text = _text_tower(embedder)
    except ScannerError as error:
        return None, AgreementSummary(measured=False, reason=str(error))

    def track(blocks: Iterator[pl.DataFrame], total: int) -> Iterator[pl.DataFrame]:
        return _tracked(blocks, total, progress or Silent())

    pairs = draw_references(SAMPLES.scan(run.path), run.read(MEMBERS), run.config["seed"])
    measured = measure_pairs(run.path, text, pairs, track).drop_nulls()
    summary = _summary(measured, text)
    agreement = Agreement(run.path, text, measured["cosine"].to_numpy(), track) if summary.measured else None
    return agreement, summary


def _text_tower(embedder: Embedder | None) -> TextEmbedder:
    if embedder is None:
        raise ScannerError("The embeddings came with the data set: no model is known that could embed its captions.")
    return embedder.text()


def _summary(measured: pl.DataFrame, text: TextEmbedder) -> AgreementSummary:
    """`measured`: the reference pairs' `cosine` and `cut`."""
    count = len(measured)
    if count < FEWEST_REFERENCES:
        reason = (
            f"Only {count} captioned rows are in no duplicate group, and at least {FEWEST_REFERENCES} are needed to "
            "say what an ordinary agreement is."
        )
        return AgreementSummary(measured=False, reason=reason, reference_pairs=count)
    return AgreementSummary(
        measured=True,
        reference_pairs=count,
        mean_cosine=round(float(measured["cosine"].to_numpy().mean()), 6),
        captions_cut=int(measured["cut"].sum()),
        context_length=text.context_length,
    )


def _tracked(blocks: Iterator[pl.DataFrame], total: int, progress: Progress) -> Iterator[pl.DataFrame]:
    progress.begin("text-image agreement", total)
    try:
        for block in blocks:
            yield block
            progress.advance()
    finally:
        progress.end()
