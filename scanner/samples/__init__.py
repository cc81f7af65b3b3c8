"""Read a data set: one module per layout, one `Sample` type out.

>>> from scanner.samples import open_dataset
>>> dataset = open_dataset("laion/{00000..00099}.tar")     # doctest: +SKIP
>>> for item in dataset.read(dataset.shards[0]): ...       # doctest: +SKIP
"""

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable, decode
from scanner.samples._open import LAYOUTS, open_dataset
from scanner.samples._options import Options
from scanner.samples._place import Place, place
from scanner.samples._sample import Dataset, Failure, Sample, Shard
from scanner.samples._stored import StoredImages

__all__ = [
    "LAYOUTS",
    "Columns",
    "Dataset",
    "Failure",
    "Options",
    "Place",
    "Sample",
    "Shard",
    "StoredImages",
    "Undecodable",
    "decode",
    "open_dataset",
    "place",
]
