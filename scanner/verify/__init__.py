"""Check generations against every original, and say in the field's words what was found.

>>> from scanner.verify import Originals
>>> originals = Originals.open(run, pictures, groups, reconstruct)         # doctest: +SKIP
>>> originals(images)[0].near                                              # doctest: +SKIP
"""

from scanner.verify._blocks import (
    INDEX_BYTES,
    OPEN_INDEX_BYTES,
    BlockMeans,
    Blocks,
    has_blocks,
    has_earlier_blocks,
    stored_blocks,
    write_blocks,
)
from scanner.verify._layouts import Layouts, Unit, units_of
from scanner.verify._neighbourhoods import (
    Neighbourhoods,
    Squares,
    squares_file,
    stored_neighbourhoods,
    write_squares,
)
from scanner.verify._originals import KEPT, Originals
from scanner.verify._pictures import CACHE_BYTES, SquarePictures
from scanner.verify._template import COPIED
from scanner.verify._thresholds import (
    EDGE_CEILING,
    NORMALISED_CEILING,
    TEMPLATE_CEILING,
    AgreementThreshold,
    agreement_threshold,
    edge_threshold,
)
from scanner.verify._thumbnails import Thumbnails
from scanner.verify._verdict import (
    EIDETIC_L2,
    PAPER_L2,
    CopySimilarity,
    Evidence,
    Verifier,
    full_steps,
    near_originals,
    shown_layout,
)

__all__ = [
    "CACHE_BYTES",
    "COPIED",
    "EDGE_CEILING",
    "EIDETIC_L2",
    "INDEX_BYTES",
    "KEPT",
    "NORMALISED_CEILING",
    "OPEN_INDEX_BYTES",
    "PAPER_L2",
    "TEMPLATE_CEILING",
    "AgreementThreshold",
    "BlockMeans",
    "Blocks",
    "CopySimilarity",
    "Evidence",
    "Layouts",
    "Neighbourhoods",
    "Originals",
    "SquarePictures",
    "Squares",
    "Thumbnails",
    "Unit",
    "Verifier",
    "agreement_threshold",
    "edge_threshold",
    "full_steps",
    "has_blocks",
    "has_earlier_blocks",
    "near_originals",
    "shown_layout",
    "squares_file",
    "stored_blocks",
    "stored_neighbourhoods",
    "units_of",
    "write_blocks",
    "write_squares",
]
