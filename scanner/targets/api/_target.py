"""A hosted image API as a target: images one request at a time, several at once.

An API has no seed that we control and no steps, so that an image's number is its identity: it is asked for once, and
what it answered is kept until a table holds it (`_received`). Its full-step evidence is further images. How much
computing an image took nobody outside can know: `evaluations` stays 0.

    >>> target = ApiTarget(ApiSettings(model="dall-e-2"), Transform(size=512))                # doctest: +SKIP
    >>> target.generate(["a red fox"], [7], steps=50, guidance=7.5)[0].note                   # doctest: +SKIP
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock

import numpy as np
from numpy.typing import NDArray

from scanner.errors import ScannerError
from scanner.targets._denoiser import Denoiser
from scanner.targets._target import Drawn, drawn
from scanner.targets._transform import Transform
from scanner.targets.api._budget import Budget, Spent
from scanner.targets.api._client import Client, insist
from scanner.targets.api._fault import Fault
from scanner.targets.api._received import Received
from scanner.targets.api._settings import ApiSettings

IN_A_ROW = 10
"""Images that fail one after the other, each after its retries, before the attack stops: it is not the prompts."""
SEED_BITS = 31
"""Of a seed, what is sent: many servers take no more than a positive 32-bit integer."""
_TRANSIENT = frozenset({"timeout", "broken", "server_error", "not_fetched"})
"""Defects that may be gone when a stopped attack is resumed, so that they are not kept."""


class ApiTarget:
    """An OpenAI-compatible image API under attack; `kept` is where answers lie until they are stored."""

    denoiser: Denoiser | None = None
    has_autoencoder = False

    def __init__(self, settings: ApiSettings, transform: Transform, kept: Path | None = None) -> None:
        self.settings, self.transform = settings, transform
        self.name = f"openai:{settings.model}"
        self.checksum = hashlib.sha256(f"{settings.model}\n{settings.url.rstrip('/')}".encode()).hexdigest()
        self.batch = settings.threads
        self.evaluations = 0
        self._received = Received(kept)
        self._budget = Budget(
            self._received.spent(),
            most_requests=settings.max_requests,
            most_images=settings.most_images,
            store=self._received.store_spent,
        )
        self._client = Client(settings, self._budget)
        self._lock = Lock()
        self._failed_in_a_row, self._answered = 0, self.spent.images > 0

    @property
    def spent(self) -> Spent:
        """What was spent so far, in earlier attacks of this run too."""
        return self._budget.spent

    def generate(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:  # noqa: ARG002 - an API is given neither
        """One image per (caption, seed), in order, or why there is none.

        Raises ScannerError where no other image would fare better (the key, the model, the budget, the connection);
        what was received until then is kept.
        """
        self._received.forget()
        stop, causes = Event(), list[ScannerError]()

        def one(caption: str, seed: int) -> Drawn | None:
            if stop.is_set():
                return None
            try:
                return self._one(caption, seed, stop)
            except ScannerError as error:
                causes.append(error)
                stop.set()
                return None

        with ThreadPoolExecutor(self.settings.threads) as pool:
            try:
                images = list(pool.map(one, captions, seeds))
            finally:
                stop.set()  # also when a person interrupts: what is under way is kept, nothing more is asked for
        if causes:
            raise causes[0]
        return [image for image in images if image is not None]

    def forget(self) -> None:
        """Remove the answers that are kept: all of them stand in tables. What was spent stays."""
        self._received.clear()

    def _one(self, caption: str, seed: int, stop: Event) -> Drawn:
        kept = self._received.take(caption, seed)
        if kept is not None:
            return kept
        sent = seed & (1 << SEED_BITS) - 1 if self.settings.sends_seed else None
        try:
            pixels, note = insist(lambda: self._client.image(caption, sent), self.settings, stop)
        except Fault as fault:
            if stop.is_set():  # not insisted on to the end
                return Drawn(image=None, defect=fault.defect)
            answer = self._failed(fault)
        else:
            image = self.transform(pixels).astype(np.float32) / np.float32(255)
            answer = replace(drawn(image), note=note, seed=sent)
            self._failed_in_a_row, self._answered = 0, True
        if answer.defect not in _TRANSIENT:
            self._received.keep(caption, seed, answer)
        return answer

    def _failed(self, fault: Fault) -> Drawn:
        """A fault as an image's defect. Raises ScannerError where it concerns all images."""
        if fault.concerns_all:
            raise ScannerError(fault.note)
        if fault.defect == "rejected" and fault.parameter != "prompt" and not self._answered:
            raise ScannerError(f"{fault.note.removesuffix('.')}, before any image was made; correct the options.")
        with self._lock:
            self._failed_in_a_row = 0 if fault.defect == "refused" else self._failed_in_a_row + 1
            if self._failed_in_a_row >= IN_A_ROW:
                raise ScannerError(
                    f"The last {IN_A_ROW} images asked of {self.settings.url} all failed, the last so: {fault.note}"
                )
        return Drawn(image=None, defect=fault.defect, note=fault.note)

    def reconstruct(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Never: nobody outside has the autoencoder."""
        raise NotImplementedError
