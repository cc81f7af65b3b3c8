"""The training image of a hit as it is now: its file, whether it still is what the audit read, and as it was compared.

>>> original_of(run, 17, transform).facts["state"]                             # doctest: +SKIP
'as_audited'
"""

import hashlib
import io

import polars as pl
from PIL import Image

from scanner.attack import png
from scanner.exports.evidence._bundle import Original
from scanner.images import encoded_images
from scanner.run import Run
from scanner.samples import Undecodable, decode
from scanner.tables import SAMPLES
from scanner.targets import Transform

_NAMED = ("sample_id", "shard", "key", "url", "caption", "width", "height", "file_sha256", "pixel_sha256")


def original_of(run: Run, sample_id: int, transform: Transform) -> Original:
    """A row of the data set. An image that is gone, was changed since the audit or can't be decoded says so in its
    `state`, and only its facts and checksums are left."""
    row = SAMPLES.scan(run.path).filter(pl.col("sample_id") == sample_id).select(_NAMED).collect().row(0, named=True)
    encoded = encoded_images(run)([sample_id]).get(sample_id)
    if encoded is None:
        return Original(facts={**row, "state": "gone"}, file=None, suffix=None, compared=None)
    if row["file_sha256"] is not None and hashlib.sha256(encoded).hexdigest() != row["file_sha256"]:
        return Original(facts={**row, "state": "changed"}, file=None, suffix=None, compared=None)
    try:
        compared = png(transform(decode(encoded)))
    except Undecodable:
        return Original(facts={**row, "state": "undecodable"}, file=encoded, suffix=None, compared=None)
    return Original(facts={**row, "state": "as_audited"}, file=encoded, suffix=_suffix(encoded), compared=compared)


def _suffix(encoded: bytes) -> str:
    """.jpeg, .png, ... by what the bytes are."""
    with Image.open(io.BytesIO(encoded)) as image:
        return f".{(image.format or 'image').lower()}"
