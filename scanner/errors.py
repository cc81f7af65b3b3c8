"""The ways in which a command fails: unusable input, everything else that has a clear cause, and a broken policy.

An error's text is one sentence that says what is wrong and what to do about it. The command line prints
that sentence and exits with `exit_code`; nothing else is shown to a user.
"""


class ScannerError(Exception):
    """Work could not be finished; the message is one sentence that says what to do (exit code 1)."""

    exit_code = 1


class UnusableInputError(ScannerError):
    """The input, an option or the run directory can't be used; nothing was written (exit code 2)."""

    exit_code = 2


class OutOfBudgetError(ScannerError):
    """What may be spent is spent; all that was made is kept, and a larger budget goes on from there (exit code 1)."""


class PolicyBrokenError(ScannerError):
    """The work is done and everything is written, but it breaks a policy that the user gave (exit code 3)."""

    exit_code = 3
