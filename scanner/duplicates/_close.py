"""A close look at a pair that the thumbnails left open: its geometry, as columns of the pairs table.

>>> look_closely(None, None, otherwise=False)["accepted"]
False
"""

from typing import Any

from scanner.duplicates.geometry import Features, GeometryConfig, compare

GEOMETRY = "geometry"
"""What the pairs table calls this look."""
CLOSE_COLUMNS = ("look", "look_distance", "worst_block", "accepted", "inliers", "coverage", "shared")
"""The columns that it fills."""


def look_closely(one: Features | None, two: Features | None, *, otherwise: bool) -> dict[str, Any]:
    """What was found of two pictures; `otherwise` (the thumbnails) decides where one can't be read any more (None)."""
    if one is None or two is None:
        return dict.fromkeys(CLOSE_COLUMNS) | {"look": GEOMETRY, "accepted": otherwise}
    found = compare(one, two, GeometryConfig())
    return {
        "look": GEOMETRY,
        "look_distance": found.distance,
        "worst_block": found.worst_block,
        "accepted": found.accepted,
        "inliers": found.inliers,
        "coverage": found.coverage,
        "shared": found.shared,
    }
