"""One request to an image API, and how often it is made again."""

import itertools
import json
import random
from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from scanner.samples import Undecodable, decode
from scanner.targets.api._answer import read_answer
from scanner.targets.api._budget import Budget
from scanner.targets.api._fault import Fault
from scanner.targets.api._http import Reply, Unreachable, get, post
from scanner.targets.api._settings import ApiSettings

LONGEST_PAUSE = 60.0
"""Seconds between two tries at most, where the server names no time."""
FETCHES = 3
"""Tries for an image that was paid for and lies at an address of its own."""

Pixels = NDArray[np.uint8]
T = TypeVar("T")

_UNREACHABLE = {
    "timeout": "The API gave no whole answer within {timeout:g} seconds.",
    "too_large": "The API's answer is larger than any image.",
    "broken": "The connection broke off before the answer was there.",
}
_OUT_OF_REACH = {
    "refused": "{url} refuses the connection; start the server or correct --api-url.",
    "unknown_host": "The host of {url} is not known here; correct --api-url, or look at the network.",
    "certificate": "The certificate of {url} is not valid, and the key is not sent there; correct --api-url.",
}


class Client:
    """Asks for images one at a time; several threads may."""

    def __init__(self, settings: ApiSettings, budget: Budget) -> None:
        """Raises UnusableInputError for a key that no header can carry."""
        self._settings, self._budget = settings, budget
        self._key = settings.key()
        self._names_format = True

    def image(self, prompt: str, seed: int | None) -> tuple[Pixels, str | None]:
        """One image (height, width, 3) and a sentence on it, by one request. Raises Fault or OutOfBudgetError."""
        body = self._body(prompt, seed)
        try:
            return self._image(body)
        except Fault as fault:
            if fault.parameter == "response_format" and body.pop("response_format", None):
                self._names_format = False  # gpt-image models take none and always answer in base64
                return self.image(prompt, seed)
            fault.note = self._without_key(fault.note)
            raise

    def _image(self, body: dict[str, Any]) -> tuple[Pixels, str | None]:
        answered = read_answer(self._post(body), self._settings)
        encoded = self._fetch(answered.url) if answered.encoded is None else answered.encoded
        try:
            pixels = decode(encoded)
        except Undecodable as error:
            raise Fault(defect=error.reason, note=error.message, retries=1) from None
        return pixels, None if answered.note is None else self._without_key(answered.note)

    def _body(self, prompt: str, seed: int | None) -> dict[str, Any]:
        asked = {
            "size": self._settings.size,
            "response_format": "b64_json" if self._names_format else None,
            "seed": seed,
        }
        named = {name: value for name, value in asked.items() if value is not None}
        return {"model": self._settings.model, "prompt": prompt, "n": 1, **named}

    def _post(self, body: dict[str, Any]) -> Reply:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "trainset-scanner"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        self._budget.begin()
        paid = False
        try:
            encoded = json.dumps(body).encode()
            reply = post(self._settings.endpoint, encoded, headers, timeout=self._settings.timeout)
            paid = 200 <= reply.status < 300
            return reply
        except Unreachable as error:
            raise self._unreachable(error.reason) from None
        finally:
            self._budget.end(paid=paid)

    def _unreachable(self, reason: str) -> Fault:
        settings = self._settings
        if reason in _OUT_OF_REACH:
            note = _OUT_OF_REACH[reason].format(url=settings.url)
            retries = 0 if reason == "certificate" else None
            return Fault(defect=reason, note=note, retries=retries, concerns_all=True)
        return Fault(defect=reason, note=_UNREACHABLE[reason].format(timeout=settings.timeout), retries=None)

    def _fetch(self, url: str | None) -> bytes:
        """The image at its own address, which costs nothing to ask for again."""
        for _ in range(FETCHES):
            try:
                reply = get(str(url), timeout=self._settings.timeout)
            except Unreachable:
                continue
            if reply.status == 200:
                return reply.body
        note = "The answer names an address, and no image could be fetched from there."
        raise Fault(defect="not_fetched", note=note, retries=1)

    def _without_key(self, text: str) -> str:
        return text if self._key is None else text.replace(self._key, "[key]")


def insist(ask: Callable[[], T], settings: ApiSettings, stop: Event) -> T:
    """What `ask` gives, asked again after a fault that may pass, with growing pauses. Raises the last Fault.

    Pause i is `backoff` · 2ⁱ seconds, at most LONGEST_PAUSE, times a random factor of 1/2 to 1, so that threads do not
    come back all at once; or as long as the server asks for, and up to a second more.
    """
    for tried in itertools.count():
        try:
            return ask()
        except Fault as fault:
            most = settings.retries if fault.retries is None else min(fault.retries, settings.retries)
            if tried >= most:
                raise
            spread = random.random()  # noqa: S311 - spreads threads in time, decides no result
            planned = min(LONGEST_PAUSE, settings.backoff * 2**tried) * (0.5 + spread / 2)
            asked = None if fault.wait is None else fault.wait + min(1.0, settings.backoff) * spread
            if stop.wait(planned if asked is None else max(planned, asked)):
                raise
    raise AssertionError
