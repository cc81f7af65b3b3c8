"""What a calibration is asked for, and what it says.

>>> CalibrationSettings(rate=1e-5).pairs
10000000
"""

from dataclasses import dataclass
from typing import Literal

from scanner.duplicates._cosines import CosineCounts, RateThreshold
from scanner.errors import UnusableInputError

DECIDING_RATE = 1e-6
"""False positives per random pair where the cosine decides: in a set of a million rows one per row, which is why a
group's members must also be near its centre."""

Kind = Literal["proposes", "decides"]


@dataclass(frozen=True, kw_only=True)
class CalibrationSettings:
    """What is asked of a calibration."""

    rate: float = DECIDING_RATE
    """False-positive rate of the cosine that decides."""
    propose_rate: float | None = None
    """False-positive rate of the cosine that proposes; None: what an audit allows, `candidates_per_row` / n."""
    pairs: int = 10_000_000
    """Random pairs to draw; all of them in a set that has fewer."""
    precision: float | None = None
    """Precision on the labelled sample to look for a threshold of."""
    seed: int = 0
    """Decides which pairs are drawn."""

    def __post_init__(self) -> None:
        for name, value in (("--rate", self.rate), ("--propose-rate", self.propose_rate)):
            if value is not None and not 0 < value < 1:
                raise UnusableInputError(f"{name} is a share of random pairs, above 0 and below 1, not {value}.")
        if self.precision is not None and not 0 < self.precision <= 1:
            raise UnusableInputError(f"--precision lies above 0 and at most at 1, not at {self.precision}.")
        if self.pairs < 1:
            raise UnusableInputError("--pairs is at least 1.")


@dataclass(frozen=True, kw_only=True)
class LabelledCosines:
    """The labelled sample by cosine."""

    same: CosineCounts
    """Pairs labelled as the same picture."""
    other: CosineCounts
    """Pairs labelled as different ones."""


@dataclass(frozen=True, kw_only=True)
class PrecisionThreshold:
    """The smallest cosine at which the labelled pairs have the wanted precision; chosen and measured on the same."""

    cosine: float
    """The threshold, four decimals."""
    wanted: float
    """The precision that was asked for."""
    same: int
    """Pairs labelled the same at the threshold or above."""
    reached: int
    """All labelled pairs there."""


@dataclass(frozen=True, kw_only=True)
class KindCalibration:
    """One of the two uses of a cosine."""

    kind: Kind
    """proposes (with pictures, which then decide) or decides (without)."""
    whitened: bool
    """Whether the embeddings were whitened."""
    dims: int
    """Numbers in a vector that was compared."""
    embedding: str
    """The same in words."""
    unlike: CosineCounts
    """Random pairs of distinct pictures that the run does not know as copies."""
    left_out: CosineCounts
    """Random pairs that were left out as copies."""
    accepted: CosineCounts
    """Pairs that the run accepted."""
    to_medoid: CosineCounts
    """Distinct members of groups, with their group's medoid."""
    labelled: LabelledCosines | None
    """The labelled sample, when one was given."""
    threshold: RateThreshold
    """At the stated rate."""
    precise: PrecisionThreshold | None
    """At the wanted precision; None when none was wanted, or no threshold has it."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was measured of a run."""

    rows: int
    """Rows of the run."""
    distinct: int
    """Distinct pictures, or embeddings where there are no pictures."""
    width: int
    """Numbers in an embedding."""
    pictures: bool
    """Whether there were pictures to look at: then the cosine proposes, else it decides."""
    every_pair: bool
    """All pairs of the set were taken, each once; otherwise they were drawn."""
    left_out_by: str
    """How copies among the random pairs were known: groups, hashes, similarity (groups made by the cosine itself) or
    nothing."""
    settings: CalibrationSettings
    """What was asked for."""
    proposes: KindCalibration
    """For data sets with pictures."""
    decides: KindCalibration
    """For data sets of embeddings alone."""

    @property
    def own(self) -> KindCalibration:
        """The one that a data set like this run's needs."""
        return self.proposes if self.pictures else self.decides
