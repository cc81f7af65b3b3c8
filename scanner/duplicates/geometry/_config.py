"""Every number of the geometric look, with what was measured to choose it.

>>> from scanner.duplicates.geometry import GeometryConfig
>>> GeometryConfig().min_inliers
4
"""

from dataclasses import dataclass

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class GeometryConfig:
    """How features are taken from a picture, and what makes two pictures one."""

    working_side: int = 176
    """Side of the square that has as many pixels as the picture in which keypoints are sought."""
    max_keypoints: int = 160
    """Most keypoints kept of a picture: 144 bytes each. On made scenes half of them and more match in every edit but
    a 60 % crop (39 inliers in the median) and a strong blur (21)."""
    contrast_threshold: float = 0.004
    """SIFT's contrast threshold; the strongest keypoints are kept, so a low one matters to faint pictures only. At 0.02
    5 to 7 % of lightly edited wallpapers had fewer than 4 inliers, at 0.004 2.5 to 4 %."""
    residual_side: int = 64
    """Side of the square that has as many pixels as the colour picture kept for the residual: 12 KB. At 80 (19 KB) the
    residual of playing cards of another suit grew by a third, that of copies by a tenth."""
    max_ratio: float = 0.9
    """Largest ratio of the distances to the nearest and the second nearest descriptor. Lowe takes 0.8; here the matches
    must be each other's nearest too, and votes on one similarity sort the wrong ones out."""
    max_rotation: float = 15.0
    """Largest rotation, degrees: arrows and ornaments that are one another turned by 90 degrees are other pictures."""
    max_scale: float = 4.0
    """Largest magnification between the two, each brought to as many pixels as the other."""
    max_shift: float = 0.04
    """How far from its place an inlier may lie, as a share of the side of the square that has the picture's area."""
    min_inliers: int = 4
    """Keypoints at different places that must agree on one similarity."""
    firm_inliers: int = 10
    """So many do not agree by chance: of 4,512 pairs of different made scenes, 19 had 4 inliers, 4 had 5, none more."""
    min_correlation: float = 0.8
    """Of the two whole pictures at 16 × 16, from which they are laid on each other where no keypoints agree."""
    max_distance: float = 0.08
    """Largest mean absolute difference over the overlap, at mean 0 and deviation 0.25."""
    max_worst_block: float = 0.14
    """Largest difference of a 7 × 7 block of the overlap, relative to the contrast there. 98 % of copies: 0.04 to 0.12
    by edit. Two views of a plant from 6 cm apart: 0.20 and more; letters, flags, clocks: 0.28 and more."""
    block_base: float = 0.05
    """The worst block may be at most this plus `block_slope` times the distance."""
    block_slope: float = 5.0
    """A flat limit of 0.12 refused 2.1 % of the copies of made scenes and 1.6 % of clip art, and passed 11 of 12 pairs
    of playing cards and figures with a small other sign. A base of 0.06 refused 0.1 % and 0 % of the pairs of copy and
    original that pass the other limits, and merged a figure with one of another sign by their 64-pixel copies; this one
    refuses 0.8 and 1.5 %, most of which other members of their group tie, and merges no figures."""
    max_loose_block: float = 0.10
    """`max_worst_block` where the geometry is not firm."""
    max_grey_distance: float = 0.03
    """`max_distance` where one picture is grey and the other is not. Grey copies: 98 % at 0.003 and less; a drawing and
    its coloured version: 0.03 and more."""
    max_grey_block: float = 0.08
    """`max_worst_block` there. Grey copies: 98 % at 0.012 and less; a white and a blue milk carton 0.12."""
    max_ink_block: float = 0.08
    """`max_worst_block` where a half-transparent overlay was taken off. A house with one sign and another: 0.10."""
    max_opacity: float = 0.65
    """Largest opacity of such an overlay."""
    max_ink_area: float = 0.3
    """Largest share of the overlap that it covers."""
    min_ink_span: float = 0.45
    """Least share of the overlap's width that it spans; 0.6 lost 1.5 % of the watermarks on clip art, for part of them
    is white on white."""
    ink_flatness: tuple[float, float] = (0.04, 0.35)
    """Least and largest height of the overlay, as a share of its width: one line of writing."""
    min_coverage: float = 0.5
    """Least share of the smaller picture that lies on the other."""
    min_share: float = 0.33
    """Least share of the larger picture that is covered: a 60 % crop covers 0.36 of its original. At 0.25 a pencil and
    a page with that pencil in its corner were one."""
    min_deviation: float = 0.012
    """An overlap of less contrast (deviation on 0 to 1) is flat: there is nothing to compare."""

    def __post_init__(self) -> None:
        if self.min_inliers < 3:
            raise UnusableInputError("Two matches always agree on a similarity; give min_inliers of 3 or more.")
        if min(self.working_side, self.residual_side) < 16 or self.max_keypoints < self.min_inliers:
            raise UnusableInputError(
                "Sides below 16 or fewer keypoints than inliers leave nothing to compare; raise them."
            )
        if not 0 < self.max_ratio <= 1 or not 0 <= self.max_rotation < 90:
            raise UnusableInputError("Give a max_ratio above 0 and at most 1, and a max_rotation of 0 to 90 degrees.")
