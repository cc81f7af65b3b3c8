"""Read a data set: one module per layout, one `Sample` type out.

>>> from scanner.samples import open_dataset
>>> dataset = open_dataset(Path("laion/"))                 # doctest: +SKIP
>>> for item in dataset.read(dataset.shards[0]): ...       # doctest: +SKIP
"""

from scanner.samples._decode import Undecodable, decode
from scanner.samples._open import open_dataset
from scanner.samples._sample import Dataset, Failure, Sample, Shard, read_encoded

__all__ = ["Dataset", "Failure", "Sample", "Shard", "Undecodable", "decode", "open_dataset", "read_encoded"]
