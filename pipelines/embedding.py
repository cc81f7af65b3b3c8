"""Where a run's embeddings come from: a model, the data set itself, or somebody who made them before.

    source = open_source(found, config)
    dataset, summary = source.attach(found)    # spot-checked

A data set of embeddings needs no model. Embeddings given beside a data set of images (`--embeddings`) are used for the
rows that have one, after a spot check that the model makes the same of these images; the model embeds the others.
"""

from dataclasses import asdict, dataclass
from typing import Any

from pipelines.configs import DEFAULT_MODEL, AuditConfig
from scanner.errors import UnusableInputError
from scanner.fingerprints import Embedder, check_embeddings, load_embedder
from scanner.samples import (
    OWN_MODEL,
    Columns,
    Dataset,
    GivenEmbeddings,
    OwnEmbeddings,
    UrlList,
    WithEmbeddings,
    open_embeddings,
    own_embeddings,
)


@dataclass(frozen=True, kw_only=True)
class EmbeddingSource:
    """What embeds the rows of a run."""

    embedder: Embedder | None
    """The loaded model; None where the data set has its own embeddings and no images."""
    own: OwnEmbeddings | None
    """Those embeddings."""
    given: GivenEmbeddings | None
    """Embeddings that were given beside the images."""

    @property
    def width(self) -> int:
        """Numbers in an embedding."""
        return self.own.width if self.own is not None else self.embedder.width if self.embedder is not None else 0

    def header(self, config: AuditConfig) -> dict[str, Any]:
        """What a resumed run must agree with."""
        if self.own is not None:
            what = f"{self.own.array}, {self.own.width} wide"
            return {
                "model": OWN_MODEL,
                "pretrained": None,
                "model_checksum": self.own.checksum,
                "own_embeddings": what,
            }
        assert self.embedder is not None
        header = {"pretrained": config.weights(), "model_checksum": self.embedder.checksum}
        return header if self.given is None else header | {"embeddings_state": self.given.fingerprint}

    def attach(self, dataset: Dataset) -> tuple[Dataset, dict[str, Any]]:
        """The data set with the embeddings that were given, and what the spot check of them found.

        Raises UnusableInputError where the model makes others of these images.
        """
        if self.given is None or self.embedder is None:
            return dataset, {}
        attached = WithEmbeddings(dataset=dataset, given=self.given)
        return attached, {"given_embeddings": asdict(check_embeddings(attached, self.embedder))}


def open_source(found: Dataset | UrlList, config: AuditConfig) -> EmbeddingSource:
    """Load the model, unless the data set has its own embeddings, and open those that are given.

    Raises UnusableInputError when either can't be had, or when a setting has no meaning for this data set.
    """
    own = None if isinstance(found, UrlList) else own_embeddings(found)
    if own is None:
        given = None if config.embeddings is None else _open_given(config.embeddings, config.embedding_column)
        embedder = load_embedder(config.model, config.weights())
        return EmbeddingSource(embedder=embedder, own=None, given=given)
    if config.embeddings is not None or config.model != DEFAULT_MODEL or config.pretrained is not None:
        raise UnusableInputError(
            f"The data set is one of embeddings ({own.array}, {own.width} wide), with no images that others could be "
            "made of; leave --embeddings, --model and --pretrained out."
        )
    return EmbeddingSource(embedder=None, own=own, given=None)


def _open_given(path: str, array: str | None) -> GivenEmbeddings:
    return GivenEmbeddings(open_embeddings(path, Columns(embedding=array)))
