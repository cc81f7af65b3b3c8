"""What every detector offers: a score per prompt, and what that costs.

Made once on a target, with its settings; a target that it can't look into is refused there, in one sentence.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Detector(Protocol):
    """A cheap test of prompts on one target."""

    name: str
    """Named for its paper, as the triage table has it."""

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt; a gradient through the network counts as two more."""
        ...

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), larger is more suspicious; the same for a prompt whatever else is asked with it."""
        ...
