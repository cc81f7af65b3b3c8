"""The options of a review."""

from dataclasses import dataclass

from scanner.errors import UnusableInputError

LAST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class ReviewOptions:
    """Who reviews, and where the page is."""

    reviewer: str | None = None
    """Name that decisions are kept under; by default the login name. Two reviewers give two names, also at the same
    time: the summary then says how far they agree."""
    port: int = 0
    """Port of 127.0.0.1; 0: any that is free."""
    browser: bool = True
    """Open the page in the browser; its address is printed in any case."""
    summary: bool = False
    """Print what was reviewed and what was not, and how far reviewers agree, and open no page."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LAST_PORT:
            raise UnusableInputError(
                f"--port {self.port} is no port; give 1 to {LAST_PORT}, or 0 for any that is free."
            )
