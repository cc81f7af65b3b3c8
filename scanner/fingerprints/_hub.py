"""What the Hugging Face hub has given already, and whether it can be reached: known in seconds, before open_clip asks
it and tries an unreachable one for 45.

>>> is_cached("timm/ViT-B-16-SigLIP", ["open_clip_config.json"])      # doctest: +SKIP
False
"""

from collections.abc import Iterable

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError

_REACH_SECONDS = 5.0


def is_cached(repository: str, files: Iterable[str]) -> bool:
    """Whether one of the files was downloaded before."""
    return any(isinstance(huggingface_hub.try_to_load_from_cache(repository, each), str) for each in files)


def answers(repository: str, file: str) -> bool:
    """Whether the hub answers at all; if it has the file, and under which name, is for open_clip to find out."""
    try:
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(repository, file), timeout=_REACH_SECONDS)
    except HfHubHTTPError:
        return True
    except Exception:  # connection errors of whichever HTTP client the hub's package uses
        return False
    return True
