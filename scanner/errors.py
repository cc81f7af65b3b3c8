"""The two ways in which work stops: unusable input, and everything else that has a clear cause.

An error's text is one sentence that says what is wrong and what to do about it. The command line prints
that sentence and exits with `exit_code`; nothing else is shown to a user.
"""


class ScannerError(Exception):
    """Work could not be finished; the message is one sentence that says what to do (exit code 1)."""

    exit_code = 1


class UnusableInputError(ScannerError):
    """The input, an option or the run directory can't be used; nothing was written (exit code 2)."""

    exit_code = 2
