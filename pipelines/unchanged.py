"""The files that a run was made from, as they are now: what reads them again must see what the run saw.

root = unchanged_root(run)        # or one sentence that names the file that is gone or has changed
"""

from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import Place, place, state_of
from scanner.tables import FILES


def unchanged_root(run: Run) -> Place:
    """The root of the data set, all of whose files are as they were.

    Raises UnusableInputError when one is gone or has changed since the run was made.
    """
    root = place(str(run.config["dataset"]))
    for file, before in FILES.scan(run.path).select("file", "state").sort("file").collect().iter_rows():
        try:
            now = str(state_of(root / file))
        except OSError as error:
            raise UnusableInputError(
                f"{root / file} can't be read any more ({error.strerror or error}); put the data set back where "
                f"{run.path} was made from it."
            ) from error
        if now != before:
            raise UnusableInputError(
                f"{root / file} has changed since {run.path} was made from it (then {before}; now {now}); audit the "
                "data set anew."
            )
    return root
