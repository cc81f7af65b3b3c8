"""The geometric look: do two pictures show one picture, up to a crop, a mirror image, a rotation, a frame, a text?

For pairs that the aligned thumbnails leave open. `features` is computed once per picture (SIFT keypoints and a small
colour picture, up to 35 KB); `compare` finds the similarity on which the keypoints agree, also with the mirror image,
lays the pictures on each other, takes off what edits do (brightness, blur, grey, half-transparent text), and
judges what is left as the thumbnail look does. It also tells when two pictures share a part and are not one: a logo on
many products, a template with another text.

Measured on one core; a copy counts as tied when the thumbnails or the geometry accept it with its original. Candidates
that are no copies: of every picture and copy the other pictures most like it by embedding or thumbnail.

| set | light edits | all 14 | accepted wrongly by geometry | features | a candidate, mean |
|---|---|---|---|---|---|
| 120 made scenes | 100 % | 99.7 % | 0 of 4,512 | 27 ms | 4.0 ms copies, 0.8 ms others |
| 200 pieces of clip art | 99.7 % | 98.5 % | 0 to 2 of 14,124 | 25 ms | 2.9 and 0.7 ms |
| 66 photographs (Debian wallpapers, OpenCV's samples) | 100 % | 99.0 % | 0 of 5,534 | 21 ms | 3.5 and 1.1 ms |

In the second row 33 pairs are accepted: left and right hands, feet and corner ornaments (pixel for pixel a mirror
image), a drawing on a wider ground, the grey copy of an orange gear with a grey gear; in the third 11, all of them
parts of one wallpaper. Faint, smooth wallpapers do worse (all 122 wallpapers and photographs: 98.1 and 95.0 %): crops,
rotations and frames of a picture without keypoints aren't found. Of families made to be alike (letters, flags, clock
faces, signs on a figure, products: 769 pairs) none is merged, nor are 373 of 378 pairs of playing cards: small red
hearts and diamonds of equal number are.

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

__all__ = ["Features", "Geometry", "GeometryConfig", "compare", "features"]
