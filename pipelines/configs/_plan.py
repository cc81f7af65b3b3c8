"""The options of a plan."""

from dataclasses import dataclass

from pipelines.amounts import Budget
from pipelines.configs._audit import DEFAULT_MODEL, DEFAULT_PRETRAINED
from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class PlanOptions:
    """What a plan is asked besides how the attack would be made."""

    model: str | None = None
    """Embedding model to time for an audit that is not made yet: a name, local-dir:DIR or demo, as `scanner audit` has
    it."""
    pretrained: str | None = None
    """Tag of that model's weights."""
    budget: str | None = None
    """Say how many prompts can be done with so much: 5000images, 1e6evaluations, 12h or 90min."""
    price_per_hour: float | None = None
    """Price of an hour on this device, in any currency."""
    warm_up: bool = False
    """Time a hosted target with a few requests, which cost money; a model in this process is always timed."""
    warm_up_seconds: float = 60.0
    """About how long the timing may take; a slow model is timed at a smaller batch."""

    def __post_init__(self) -> None:
        if self.budget is not None:
            Budget.parse(self.budget)
        if self.price_per_hour is not None and not 0 <= self.price_per_hour < float("inf"):
            raise UnusableInputError(f"--price-per-hour is a price of 0 or more, not {self.price_per_hour}.")
        if not 0 < self.warm_up_seconds < float("inf"):
            raise UnusableInputError("--warm-up-seconds is above 0.")
        if self.pretrained is not None and self.model is None:
            raise UnusableInputError("--pretrained is a tag of the weights of --model; give that too.")

    def weights(self) -> str | None:
        """The tag to load: the given one, or the default model's own."""
        return DEFAULT_PRETRAINED if self.model == DEFAULT_MODEL and self.pretrained is None else self.pretrained
