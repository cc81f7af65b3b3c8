"""What may be spent on an API, counted over all resumed attacks of a run.

A request is counted before it is sent, so that a killed process has spent no more than is written down. An image is
counted, and paid for, when an answer of success came, usable or not; who pays is not asked.

    >>> budget = Budget(most_requests=2)
    >>> budget.begin(); budget.end(paid=True)
    >>> budget.spent
    Spent(requests=1, images=1)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition

from scanner.errors import OutOfBudgetError


@dataclass(frozen=True)
class Spent:
    """What was spent so far."""

    requests: int = 0
    """Requests sent, retries among them."""
    images: int = 0
    """Answers of success."""


class Budget:
    """The account of one API; several threads may draw on it."""

    def __init__(
        self,
        spent: Spent = Spent(),
        *,
        most_requests: int | None = None,
        most_images: int | None = None,
        store: Callable[[Spent], None] = lambda _: None,
    ) -> None:
        """`store` is called with what was spent whenever it has grown."""
        self.spent, self._store = spent, store
        self._most_requests, self._most_images = most_requests, most_images
        self._open, self._changed = 0, Condition()

    def begin(self) -> None:
        """Before a request: waits while those that are under way may take the rest of the budget.

        Raises OutOfBudgetError, in one sentence, when nothing is left.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0 or self._exhausted() is None)
            option = self._exhausted()
            if option is not None:
                raise OutOfBudgetError(self._used_up(option))
            self._open += 1
            self._spend(requests=1)

    def end(self, *, paid: bool) -> None:
        """After the request's answer, or without one."""
        with self._changed:
            self._open -= 1
            self._spend(images=int(paid))
            self._changed.notify_all()

    def _exhausted(self) -> str | None:
        """The option whose budget is used up if every request under way gives an image; None where there is some."""
        if self._most_images is not None and self.spent.images + self._open >= self._most_images:
            return "--api-max-cost"
        if self._most_requests is not None and self.spent.requests >= self._most_requests:
            return "--api-max-requests"
        return None

    def _spend(self, *, requests: int = 0, images: int = 0) -> None:
        self.spent = replace(self.spent, requests=self.spent.requests + requests, images=self.spent.images + images)
        if requests or images:
            self._store(self.spent)

    def _used_up(self, option: str) -> str:
        return (
            f"The budget of the image API is used up ({self.spent.requests:,} requests, {self.spent.images:,} images); "
            f"all of it is kept, and the same command with a larger {option} goes on."
        )
