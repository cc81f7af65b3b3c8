"""Read a data set: one module per layout, one `Sample` type out.

>>> from scanner.samples import open_dataset
>>> dataset = open_dataset("laion/{00000..00099}.tar")     # doctest: +SKIP
>>> for item in dataset.read(dataset.shards[0]): ...       # doctest: +SKIP
"""

from scanner.samples._arrow import open_stream
from scanner.samples._columns import KNOWN as KNOWN_COLUMNS
from scanner.samples._columns import Columns
from scanner.samples._decode import FORMATS, Undecodable, decode
from scanner.samples._embeddings import OWN_MODEL, EmbeddingSet, OwnEmbeddings, own_embeddings
from scanner.samples._given import GivenEmbeddings, WithEmbeddings
from scanner.samples._metadata import FILE_NAMES as METADATA_FILES
from scanner.samples._metadata import name_columns
from scanner.samples._numbered import Numbered
from scanner.samples._open import LAYOUTS, open_dataset, open_embeddings, open_url_list
from scanner.samples._options import Options
from scanner.samples._place import Place, is_local, open_place, place, state_of
from scanner.samples._quiet import pillow_warnings_off
from scanner.samples._rows import Roles, holds_bytes, roles_of
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
    "FORMATS",
    "KNOWN_COLUMNS",
    "LAYOUTS",
    "METADATA_FILES",
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
    "Roles",
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
    "holds_bytes",
    "is_local",
    "judge",
    "name_columns",
    "open_dataset",
    "open_downloaded",
    "open_embeddings",
    "open_place",
    "open_stream",
    "open_url_list",
    "own_embeddings",
    "pillow_warnings_off",
    "place",
    "roles_of",
    "state_of",
    "tar_layout",
]
