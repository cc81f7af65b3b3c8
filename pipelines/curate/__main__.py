"""The curation from a shell.

python -m pipelines.curate DIRECTORY_OF_OPENCLIPART_PNG OUT
"""

import sys
from pathlib import Path

from pipelines.curate import curate
from scanner.errors import ScannerError


def main(arguments: list[str]) -> int:
    """Run on [folder of the PNGs, folder to write into]; gives the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("Name two folders: python -m pipelines.curate DIRECTORY_OF_OPENCLIPART_PNG OUT\n")
        return 2
    try:
        written = curate(Path(arguments[0]), Path(arguments[1]))
    except ScannerError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
