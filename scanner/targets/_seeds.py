"""Seeds: the only source of randomness, a pure function of the run's seed, the prompt and the image's number.

>>> image_seed(0, "9f86d081884c7d65", 0) == image_seed(0, "9f86d081884c7d65", 0)
True
"""

import hashlib


def image_seed(run_seed: int, prompt_id: str, index: int) -> int:
    """Seed of one image, 0 to 2⁶³ − 1: the same whatever the batch, the engine or the order."""
    digest = hashlib.sha256(f"{run_seed}:{prompt_id}:{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
