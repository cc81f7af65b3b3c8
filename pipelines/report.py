"""The report recipe: a page and the files beside it, from the tables alone; nothing is generated or embedded again.

scanner report RUN
scanner report RUN --blur
scanner report RUN --verify
"""

import json
import sys
from pathlib import Path

from pipelines.comparison import other_of
from scanner.images import encoded_images
from scanner.report import OtherRun, report_path, verify_report, write_report
from scanner.run import Run


def report(run: Run, *, blur: bool = False) -> Path:
    """Write RUN/report/ and return the path of its index.html.

    Originals are read from the data set where it still is, and shown as their stored thumbnails where it is not.
    With `blur` the page opens with all pictures blurred.
    """
    other = other_of(run)
    beside = None if other is None else OtherRun(run=other, pictures=encoded_images(other))
    return write_report(run, encoded_images(run), beside, blur=blur)


def print_verified(run: Run, *, as_json: bool) -> None:
    """Say on standard output that report.json is as it was written; raises ScannerError when it is not."""
    path = report_path(run)
    digest = verify_report(path)
    if as_json:
        json.dump({"report": str(path), "sha256": digest, "verified": True}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print(f"{path} is as it was written: its content has the hash in it, sha256 {digest}.")
