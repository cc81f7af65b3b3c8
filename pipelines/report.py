"""The report recipe: one HTML file and its JSON, from the tables alone; nothing is generated or embedded again.

scanner report RUN
"""

from pathlib import Path

from pipelines.comparison import other_of
from scanner.images import encoded_images
from scanner.report import OtherRun, write_report
from scanner.run import Run


def report(run: Run) -> Path:
    """Write RUN/report/ and return the path of its index.html.

    Originals are read from the data set where it still is, and shown as their stored thumbnails where it is not.
    """
    other = other_of(run)
    return write_report(
        run, encoded_images(run), None if other is None else OtherRun(run=other, pictures=encoded_images(other))
    )
