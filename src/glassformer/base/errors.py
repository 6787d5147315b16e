"""The errors a user can meet: one clear sentence each, and the exit code the command line ends with."""


class UserError(Exception):
    """A mistake in what was asked: a wrong setting, a missing file, unusable data. Exit code 2.

    The message is one sentence that says what is wrong, where, and how to mend it; it is shown as it stands,
    without a traceback.
    """

    exit_code = 2


class RunError(UserError):
    """Something failed while running: a full disk, a loss that is not finite. Exit code 1."""

    exit_code = 1


class Stopped(UserError):  # noqa: N818 - being stopped is not an error
    """The run was stopped by a signal after saving. Exit code 128 + the signal's number (130, 143)."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
