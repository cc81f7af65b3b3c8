"""The numbers behind the charts of scores, distances and captions: binned, so that they take the same room whether ten
prompts were attacked or a hundred thousand.

>>> asdict(gather(run).distances)["arms"][0]["reached"]                          # doctest: +SKIP
"""

from dataclasses import dataclass

from scanner.report._intervals import Rate

WIDTH, BINS = 0.005, 50
"""Width of a bin of distances (normalised l2), and how many there are: up to 0.25, within
which the originals near an image are kept."""
MOST_POINTS = 100
"""Of a detector's curve, about."""


@dataclass(frozen=True, kw_only=True)
class ScorePoint:
    """How many prompts a threshold on a detector's score would let through."""

    score: float | None
    """The threshold; None: the model gave no number, which passes every threshold."""
    risk: int
    """High-risk prompts that pass it."""
    control: int
    """Control prompts that do."""
    verified: int
    """Of the high-risk prompts that do, those that were verified."""


@dataclass(frozen=True, kw_only=True)
class DetectorCurve:
    """High-risk prompts against control prompts by one detector's score. Neither arm is a truth: not every high-risk
    prompt is memorised, so this is no measurement of what the detector finds."""

    detector: str
    """Named for its paper."""
    risk: int
    """High-risk prompts scored."""
    control: int
    """Control prompts scored."""
    verified: int
    """Of the high-risk ones scored, those that were verified; they were chosen by the triage, so that none of them
    can stand where every detector would have held it back."""
    higher: float | None
    """Area under the curve: the chance that a high-risk prompt scores higher than a control prompt, ties counting
    half; None without either."""
    used: ScorePoint | None
    """Prompts above the threshold of this attack; None where none is recorded."""
    points: tuple[ScorePoint, ...]
    """Prompts at a score or above it, the strictest first; of many scores some, evenly along the curve."""


@dataclass(frozen=True, kw_only=True)
class ArmDistances:
    """At which distance the full-step images of an arm's prompts begin to agree on one original."""

    arm: str
    """risk or control."""
    attacked: int
    """Prompts that images were generated of."""
    agreeing: int
    """Of these, those of which two full-step images have one original near them, within 0.25."""
    within: Rate
    """Of those attacked, those that agree within the threshold."""
    reached: tuple[int, ...]
    """Prompts that agree within one, two, three, ... widths of a bin."""


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Normalised l2 at which the second of a prompt's full-step images shows one original: what the verdict cuts."""

    width: float
    """Of a bin, in normalised l2."""
    threshold: float | None
    """Within it two images agree."""
    arms: tuple[ArmDistances, ...]
    """risk, then control."""


@dataclass(frozen=True, kw_only=True)
class CaptionCell:
    """Duplicate groups of one range of copies and one range of the share of copies under their top caption."""

    copies: str
    """2-3, 4-7, ..., 128+."""
    share: str
    """all, 75 % and more, 50 % and more, 25 % and more, less."""
    groups: int
    """Groups."""
    tried: int
    """Of these, those that a tried high-risk prompt stands for."""
    returned: int
    """Of those tried, the ones whose picture came back to a verified prompt of either arm."""


@dataclass(frozen=True, kw_only=True)
class Concentration:
    """How far the copies of a group carry one caption, against how many they are."""

    groups: int
    """Groups in the cells."""
    without_caption: int
    """Groups of which no copy has a caption; they are in no cell."""
    elsewhere: int
    """Groups that came back though no tried high-risk prompt stands for them; they are in the cells as groups alone."""
    cells: tuple[CaptionCell, ...]
    """Those that hold a group, fewest copies first, then the largest share first."""
