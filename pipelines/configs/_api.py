"""The options of a target that is a hosted image API; a part of `TargetOptions`."""

import re
from dataclasses import dataclass

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """How an image API is reached, and what may be spent on it."""

    api_url: str = "https://api.openai.com/v1"
    """Address of the image API, before /images/generations; any server that speaks OpenAI's form will do."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the API's key; it is sent to --api-url alone, and stored nowhere."""
    api_size: str = "1024x1024"
    """Size of the images to ask for, such as 512x512 or auto; none asks for none."""
    api_seed: bool = False
    """Send each image's seed (its lowest 31 bits), for servers that take one; OpenAI's does not."""
    api_threads: int = 4
    """Requests at once."""
    api_retries: int = 6
    """How often a request is made again after status 429, a server error, a time-out or a lost connection; pauses
    double, unless the server says how long to wait."""
    api_timeout: float = 180.0
    """Seconds until an answer must be there."""
    api_max_requests: int | None = None
    """Most requests to send to the API, retries and earlier parts of a resumed attack among them."""
    api_price: float | None = None
    """Price of one image, for --api-max-cost and for the record."""
    api_max_cost: float | None = None
    """Most to spend on the API's images, in the currency of --api-price; earlier parts of a resumed attack count."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\d*x[1-9]\d*|auto|none", self.api_size):
            raise UnusableInputError(f"--api-size {self.api_size} is no size; give 512x512, auto or none.")
        if self.api_threads < 1 or self.api_retries < 0 or not 0 < self.api_timeout < float("inf"):
            raise UnusableInputError("--api-threads and --api-timeout are above 0, --api-retries at least 0.")
        if any(most is not None and not 0 < most < float("inf") for most in self._limits()):
            raise UnusableInputError("--api-max-requests, --api-price and --api-max-cost are above 0.")
        if self.api_max_cost is not None and self.api_price is None:
            raise UnusableInputError("--api-max-cost needs the price of an image; give --api-price.")

    def _limits(self) -> tuple[float | None, ...]:
        return self.api_max_requests, self.api_price, self.api_max_cost


REACHING = frozenset(
    {"api_key_env", "api_threads", "api_retries", "api_timeout", "api_max_requests", "api_price", "api_max_cost"}
)
"""Options that change no image: a resumed attack may have others."""
