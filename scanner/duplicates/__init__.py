"""Duplicate groups: exact collapse, candidates by cosine or hash, a look at the thumbnails, components, splitting.

>>> from scanner.duplicates import DuplicateSearch, DuplicatesConfig
>>> search = DuplicateSearch(samples, embeddings, DuplicatesConfig())      # doctest: +SKIP
>>> pairs = [search.search(part) for part in search.parts]                 # doctest: +SKIP
>>> search.groups().groups                                                 # doctest: +SKIP
"""

from scanner.duplicates._additions import Addition, addition_of, prefix_of
from scanner.duplicates._calibrate import calibrate, whitened_dims
from scanner.duplicates._calibration import (
    Calibration,
    CalibrationSettings,
    KindCalibration,
    LabelledCosines,
    PrecisionThreshold,
)
from scanner.duplicates._calibration_table import calibration_table
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._copies import COPY_MODEL, CopyCosines
from scanner.duplicates._cosines import CosineCounts, RateThreshold, threshold_at
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._families import template_families
from scanner.duplicates._groups import Groups
from scanner.duplicates._labels import Labels, read_labels
from scanner.duplicates._look import Looks, look, thumbnail_planes
from scanner.duplicates._matches import MatchSearch, OneSet
from scanner.duplicates._random_pairs import Scanned
from scanner.duplicates._search import DuplicateSearch
from scanner.duplicates._summary import SearchSummary
from scanner.duplicates._threshold import Threshold, choose_threshold
from scanner.duplicates._whiten import Whitened, whiten
from scanner.duplicates.captions import CountedCaptions, count_captions, normalise_caption, normalise_captions

__all__ = [
    "COPY_MODEL",
    "Addition",
    "Calibration",
    "CalibrationSettings",
    "Collapse",
    "CopyCosines",
    "CosineCounts",
    "CountedCaptions",
    "DuplicateSearch",
    "DuplicatesConfig",
    "Groups",
    "KindCalibration",
    "LabelledCosines",
    "Labels",
    "Looks",
    "MatchSearch",
    "OneSet",
    "PrecisionThreshold",
    "RateThreshold",
    "Scanned",
    "SearchSummary",
    "Threshold",
    "Whitened",
    "addition_of",
    "calibrate",
    "calibration_table",
    "choose_threshold",
    "collapse",
    "count_captions",
    "look",
    "normalise_caption",
    "normalise_captions",
    "prefix_of",
    "read_labels",
    "template_families",
    "threshold_at",
    "thumbnail_planes",
    "whiten",
    "whitened_dims",
]
