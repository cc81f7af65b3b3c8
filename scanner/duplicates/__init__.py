"""Duplicate groups: exact collapse, candidates by cosine or hash, a look at the thumbnails, components, splitting.

>>> from scanner.duplicates import DuplicateSearch, DuplicatesConfig
>>> search = DuplicateSearch(samples, embeddings, DuplicatesConfig())      # doctest: +SKIP
>>> pairs = [search.search(part) for part in search.parts]                 # doctest: +SKIP
>>> search.groups().groups                                                 # doctest: +SKIP
"""

from scanner.duplicates._captions import normalise_caption, normalise_captions
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._exact import Collapse, collapse
from scanner.duplicates._groups import Groups
from scanner.duplicates._look import Looks, look, thumbnail_planes
from scanner.duplicates._search import DuplicateSearch, SearchSummary
from scanner.duplicates._threshold import Threshold, choose_threshold
from scanner.duplicates._whiten import Whitened, whiten

__all__ = [
    "Collapse",
    "DuplicateSearch",
    "DuplicatesConfig",
    "Groups",
    "Looks",
    "SearchSummary",
    "Threshold",
    "Whitened",
    "choose_threshold",
    "collapse",
    "look",
    "normalise_caption",
    "normalise_captions",
    "thumbnail_planes",
    "whiten",
]
