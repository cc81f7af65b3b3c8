"""Read a data set: one module per layout, one `Sample` type out.

>>> from scanner.samples import open_dataset
>>> dataset = open_dataset("laion/{00000..00099}.tar")     # doctest: +SKIP
>>> for item in dataset.read(dataset.shards[0]): ...       # doctest: +SKIP
"""

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable, decode
from scanner.samples._embeddings import OWN_MODEL, EmbeddingSet, OwnEmbeddings, own_embeddings
from scanner.samples._given import GivenEmbeddings, WithEmbeddings
from scanner.samples._numbered import Numbered
from scanner.samples._open import LAYOUTS, open_dataset, open_embeddings, open_url_list
from scanner.samples._options import Options
from scanner.samples._place import Place, is_local, open_place, place, state_of
from scanner.samples._sample import Dataset, Failure, Sample, Shard
from scanner.samples._stored import StoredImages
from scanner.samples._tar_copy import TarRange, copy_without, tar_layout
from scanner.samples.urls import (
    PLAN,
    Downloaded,
    DownloadFolder,
    UrlList,
    choose,
    judge,
    open_downloaded,
)

__all__ = [
    "LAYOUTS",
    "OWN_MODEL",
    "PLAN",
    "Columns",
    "Dataset",
    "DownloadFolder",
    "Downloaded",
    "EmbeddingSet",
    "Failure",
    "GivenEmbeddings",
    "Numbered",
    "Options",
    "OwnEmbeddings",
    "Place",
    "Sample",
    "Shard",
    "StoredImages",
    "TarRange",
    "Undecodable",
    "UrlList",
    "WithEmbeddings",
    "choose",
    "copy_without",
    "decode",
    "is_local",
    "judge",
    "open_dataset",
    "open_downloaded",
    "open_embeddings",
    "open_place",
    "open_url_list",
    "own_embeddings",
    "place",
    "state_of",
    "tar_layout",
]
