"""The process that img2dataset runs in. It ends when the scanner does, however that ends.

    python -m pipelines._fetch '{"url_list": "list/", "output_folder": "download", ...}'

Its standard input is a pipe that the scanner holds open and writes nothing into. When the scanner is gone, killed or
not, the pipe closes, and this process takes its whole group with it: workers that went on writing would spoil the
files of the scanner that resumes the run.
"""

import json
import os
import signal
import sys
from threading import Thread

_STANDARD_INPUT = 0


def main() -> None:
    """Download what the settings, given as the first argument, say."""
    Thread(target=_die_with_the_scanner, daemon=True).start()
    from img2dataset import download  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and not before the thread above

    download(**json.loads(sys.argv[1]))


def _die_with_the_scanner() -> None:
    while os.read(_STANDARD_INPUT, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
