"""The geometric look: do two pictures show one picture, up to a crop, a mirror image, a rotation, a frame, a text?

For pairs that the aligned thumbnails leave open. `features` is computed once per picture (SIFT keypoints and a small
colour picture, up to 35 KB); `compare` finds the similarity on which the keypoints agree, also with the mirror image,
lays the pictures on each other, takes off what edits do (brightness, blur, grey, half-transparent text), and
judges what is left as the thumbnail look does. It also tells when two pictures share a part and are not one: a logo on
many products, a template with another text.

Measured on one core by `make bench` (80 pictures × 14 edits of each set); a copy counts as tied when the thumbnails or
the geometry accept it with its original. Candidates that are no copies: of every picture the four others most like it
by embedding. Whole audits: `tests/benchmarks/test_pictures.py`.

| set | light edits | all 14 | accepted wrongly by geometry | features | a candidate, mean |
|---|---|---|---|---|---|
| made scenes | 100 % | 99.3 % | 0 of 4,046 | 15.4 ms | 1.5 ms |
| clip art | 99.8 % | 98.9 % | 0 of 4,179 | 17.8 ms | 1.2 ms |

Of families made to be alike the geometry merges no letters, flags, clock faces, figures with another sign or products
(769 pairs), and 5 of 378 pairs of playing cards: spades and clubs of equal number, from four to eight. Left and right
hands drawn as one another's mirror image are one picture to it.

    >>> import numpy as np
    >>> picture = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8).repeat(6, 0).repeat(6, 1)
    >>> config = GeometryConfig()
    >>> found = compare(features(picture, config), features(picture[:, ::-1].copy(), config), config)
    >>> found.accepted, found.mirrored
    (True, True)
"""

from scanner.duplicates.geometry._compare import Geometry, compare
from scanner.duplicates.geometry._config import GeometryConfig
from scanner.duplicates.geometry._features import Features, features
from scanner.duplicates.geometry._part import common_part, spanned

__all__ = ["Features", "Geometry", "GeometryConfig", "common_part", "compare", "features", "spanned"]
