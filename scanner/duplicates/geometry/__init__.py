"""The geometric look.

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
