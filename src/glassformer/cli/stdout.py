"""What is data goes here: lines of text on standard output, in UTF-8, as soon as each is there."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from glassformer.base import report
from glassformer.base.errors import RunError

NAME = "glassformer"


def prepare() -> None:
    """Make standard output UTF-8 with plain line ends, whatever the locale; unreadable names pass."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")


def line(text: str, end: str = "\n") -> None:
    """Write one line, or a piece of one, and send it off.

    Raises RunError on a full disk, BrokenPipeError when nobody reads.
    """
    try:
        sys.stdout.write(f"{text}{end}")
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


def program() -> str:
    """How to call this program again from the same place: by name where the shell finds it, else by path."""
    typed = sys.argv[0]
    return typed if Path(typed).name == NAME and shutil.which(NAME) is None else NAME
