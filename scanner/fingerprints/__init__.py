"""Fingerprints of pictures: hashes, thumbnails and embeddings, and the stage that makes them shard by shard.

>>> from scanner.fingerprints import Fingerprinter, SeenPictures, load_embedder
>>> stage = Fingerprinter(load_embedder("demo"), SeenPictures(Path("RUN")))   # doctest: +SKIP
"""

from scanner.embeddings import stored_embeddings
from scanner.fingerprints._check import Check, check_embeddings
from scanner.fingerprints._embed import Embedder, load_embedder
from scanner.fingerprints._hashes import perceptual_hash, pixel_sha256
from scanner.fingerprints._seen import SeenPictures, part_name
from scanner.fingerprints._stage import Fingerprinter, ShardRows, Tally
from scanner.fingerprints._text import EmbeddedCaptions, TextEmbedder
from scanner.fingerprints._thumbnail import thumbnail
from scanner.fingerprints._write import write_shard
from scanner.fingerprints.copy_model import CopyModel, load_copy_model

__all__ = [
    "Check",
    "CopyModel",
    "EmbeddedCaptions",
    "Embedder",
    "Fingerprinter",
    "SeenPictures",
    "ShardRows",
    "Tally",
    "TextEmbedder",
    "check_embeddings",
    "load_copy_model",
    "load_embedder",
    "part_name",
    "perceptual_hash",
    "pixel_sha256",
    "stored_embeddings",
    "thumbnail",
    "write_shard",
]
