"""What is data goes here: lines of text on standard output, in UTF-8, as soon as each is there."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

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


def answer(as_json: bool, record: Callable[[], dict[str, Any]], lines: Iterable[str]) -> None:
    """Write what was found: its record as one line of JSON, or its lines for people. Raises as ``line``."""
    for text in [json.dumps(record(), ensure_ascii=False)] if as_json else lines:
        line(text)


def typed(source: object, what: str | None = None) -> bool:
    """Whether a person types what is read from ``source`` (``-``: stdin); who does is told how."""
    if source != "-" or sys.stdin is None or not sys.stdin.isatty():
        return False
    if what is not None:
        report.say(f"Type {what} and press Enter; Ctrl-D ends.")
    return True


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
