"""What is data goes here: lines of text on standard output, in UTF-8, as soon as each is there."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from glassformer.base import report
from glassformer.base.errors import RunError


def prepare() -> None:
    """Make standard output UTF-8 with plain line ends, whatever the locale; unreadable names pass."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")


def line(text: str) -> None:
    """Write one line and send it off. Raises RunError on a full disk, BrokenPipeError when nobody reads."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        report.drop_stdout()
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"cannot write to standard output: {reason}") from None


@contextmanager
def progress(what: str, shown: bool = True) -> Iterator[Callable[[int], None] | None]:
    """A bar for whoever watches a terminal, unless the lines go there too or it is not to be shown."""
    if shown and sys.stderr.isatty() and not sys.stdout.isatty():
        with report.progress(None, what) as bar:
            yield bar.advance
    else:
        yield None
