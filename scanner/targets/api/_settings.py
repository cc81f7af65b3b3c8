"""How a hosted image API is reached: where, with which key, how patiently, and what may be spent."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """An OpenAI-compatible `POST {url}/images/generations`."""

    model: str
    """Name of the model, as the API knows it."""
    url: str = "https://api.openai.com/v1"
    """Address before /images/generations."""
    key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; where it is not set, no key is sent."""
    size: str | None = "1024x1024"
    """Size asked for; None asks for none."""
    sends_seed: bool = False
    """Whether `seed` is sent; OpenAI's own API takes none."""
    threads: int = 4
    """Requests at once."""
    retries: int = 6
    """How often a request is made again that was refused for its rate, failed on the server's side or got no answer."""
    timeout: float = 180.0
    """Seconds until an answer must be there, whole."""
    backoff: float = 1.0
    """Seconds before the first retry; twice as many before each further one."""
    max_requests: int | None = None
    """Requests that may be sent in all, retries among them."""
    price: float | None = None
    """Price of an image, in the currency of `max_cost`."""
    max_cost: float | None = None
    """What the images may cost in all."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise UnusableInputError(
                "The address of an image API begins with http:// or https:// and ends before /images/generations, "
                "such as https://api.openai.com/v1; give it with --api-url."
            )
        if "@" in parts.netloc:
            raise UnusableInputError(
                "--api-url holds a user or a password, which would be stored with the run; give the key in the "
                f"environment variable {self.key_env}."
            )
        if self.max_cost is not None and self.price is None:
            raise UnusableInputError("--api-max-cost needs the price of an image; give --api-price.")

    @property
    def endpoint(self) -> str:
        """Where images are asked for."""
        return f"{self.url.rstrip('/')}/images/generations"

    @property
    def most_images(self) -> int | None:
        """Images that `max_cost` pays for; None where it is not given."""
        if self.max_cost is None or not self.price:
            return None
        return int(self.max_cost / self.price + 1e-9)  # 0.3 / 0.1 is 2.9999999999999996

    def key(self) -> str | None:
        """The key, or None where there is none. Raises UnusableInputError, without the key, for one that no header
        can carry."""
        key = os.environ.get(self.key_env, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise UnusableInputError(
                f"The environment variable {self.key_env} holds characters that no key has; set it again."
            )
        return key or None
