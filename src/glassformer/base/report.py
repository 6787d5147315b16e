"""Words to the user: messages and progress on stderr, tables, and the one line of result on stdout."""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol, runtime_checkable

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from glassformer.base.errors import RunError

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWINGS = 0.1
MEGABYTE = 1 << 20
SHOWN_FROM = 1 << 30  # bytes; to read, sum up or write them takes some seconds

_quiet = False
_live: Progress | None = None


@runtime_checkable
class Counter(Protocol):
    """What ``progress`` gives: tell it what was done, and the newest figures to show beside it."""

    def advance(self, n: int = 1, **figures: float | str) -> None:
        """``n`` more are done; figures are shown by name, as in ``loss=2.31``."""
        ...


def quiet(on: bool = True) -> None:
    """Show warnings and failures only."""
    global _quiet  # noqa: PLW0603 - one process has one stderr
    _quiet = on


def say(text: str) -> None:
    """One line of information on stderr."""
    if not _quiet:
        _print(text, "")


def warn(text: str) -> None:
    """One line on stderr about something that is probably not what the user wants."""
    _print(f"warning: {text}", "yellow")


def fail(text: str) -> None:
    """One line on stderr about what went wrong."""
    _print(f"error: {text}", "bold red")


def result(values: Mapping[str, Any]) -> None:
    """The outcome as one line of JSON on stdout; NaN and infinity, which JSON has not, become null."""
    line = json.dumps(_plain(dict(values)), ensure_ascii=False)
    try:
        try:
            sys.stdout.write(line + "\n")
        except UnicodeEncodeError:
            sys.stdout.write(json.dumps(_plain(dict(values))) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:
        drop_stdout()
        reason = (error.strerror or str(error)).lower()
        raise RunError(f"cannot write the result to standard output: {reason}") from None


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns aligned by what they take up on screen (a Korean letter takes two), numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(cell_len(row[index]) for row in [list(headers), *cells]) for index in range(len(headers))]
    right = [
        bool(rows) and all(isinstance(row[index], int | float) or row[index] is None for row in rows)
        for index in range(len(headers))
    ]
    lines = [list(headers), ["─" * width for width in widths], *cells]
    return "\n".join(_aligned(line, widths, right) for line in lines)


@contextmanager
def progress(total: int | None, what: str, done: int = 0, *, brief: bool = False) -> Iterator[Counter]:
    """Show how far ``what`` is: a bar with rate, remaining time and figures, or now and then a plain line.

    ``done`` is where a resumed count begins; it does not enter the rate. What is ``brief`` has no line where
    there is no bar, unless it takes longer than the time between two lines.
    """
    if _quiet:
        yield _Silent()
    elif _terminal():
        with _bar(total, what, done) as bar:
            yield bar
    else:
        lines = _Lines(total, what, done)
        yield lines
        if not brief or lines.shown > done:
            lines.finish()


@contextmanager
def weighing(size: int, what: str) -> Iterator[Callable[[int], None]]:
    """Show how far work on so many bytes is, as it is told of each that is done; nothing if they are few."""
    if size < SHOWN_FROM:
        yield lambda _: None
        return
    with progress(-(-size // MEGABYTE), f"{what} (MB)", brief=True) as bar:
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            before, done = done, done + more
            bar.advance(-(-done // MEGABYTE) - -(-before // MEGABYTE))

        yield advance


def drop_stdout() -> None:
    """Send what is still buffered nowhere; Python would complain once more when it closes stdout."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class _Silent:
    def advance(self, n: int = 1, **figures: float | str) -> None:
        """Show nothing."""


class _Lines:
    """Progress for a log file: a line at most every ten seconds, and one at the end."""

    def __init__(self, total: int | None, what: str, done: int) -> None:
        self.total, self.what, self.first, self.count = total, what, done, done
        self.began = self.last = time.monotonic()
        self.shown = done
        self.figures: dict[str, float | str] = {}

    def advance(self, n: int = 1, **figures: float | str) -> None:
        self.count += n
        self.figures.update(figures)
        if time.monotonic() - self.last >= SECONDS_BETWEEN_LINES:
            self.show()

    def show(self) -> None:
        self.last, self.shown = time.monotonic(), self.count
        pace = _pace(self.count - self.first, self.last - self.began)
        say(
            ", ".join(
                part
                for part in (
                    _so_far(self.what, self.count, self.total),
                    pace,
                    self.left(),
                    _shown(self.figures),
                )
                if part
            )
        )

    def left(self) -> str:
        rate = (self.count - self.first) / max(self.last - self.began, 1e-9)
        if self.total is None or rate <= 0 or self.count >= self.total:
            return f"in {duration(self.last - self.began)}"
        return f"{duration((self.total - self.count) / rate)} left"

    def finish(self) -> None:
        if self.count != self.shown:
            self.show()


class _Bar:
    """Progress on a terminal, one bar of the running display."""

    def __init__(self, display: Progress, task: TaskID) -> None:
        self.display, self.task = display, task
        self.figures: dict[str, float | str] = {}
        self.drawn = 0.0

    def advance(self, n: int = 1, **figures: float | str) -> None:
        self.figures.update(figures)
        # Drawn from here and not by a thread of rich's, which outlives a fork and dies of a closed stderr.
        due = time.monotonic() - self.drawn > SECONDS_BETWEEN_DRAWINGS
        self.drawn = time.monotonic() if due else self.drawn
        shown = _shown(self.figures)
        _despite_closed(lambda: self.display.update(self.task, advance=n, figures=shown, refresh=due))


class _Pace(ProgressColumn):
    """Rate and remaining time, from the whole run so far: steadier than the last seconds."""

    def render(self, task: Task) -> Text:
        """``3.4/s, 12 min left``."""
        steps, seconds = task.completed - task.fields["first"], task.elapsed or 0.0
        parts = [_pace(steps, seconds)]
        if task.total is not None and steps > 0 and task.completed < task.total:
            parts.append(f"{duration((task.total - task.completed) * seconds / steps)} left")
        return Text(", ".join(part for part in parts if part))


@contextmanager
def _bar(total: int | None, what: str, done: int) -> Iterator[_Bar]:
    """A bar in the display that is running, or in a new one."""
    global _live  # noqa: PLW0603 - one terminal has one live display
    outer = _live
    display = outer or Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}{task.fields[of]}", markup=False),
        _Pace(),
        TextColumn("{task.fields[figures]}", markup=False),
        console=_console(),
        auto_refresh=False,
    )
    of = "" if total is None else f"/{total}"
    task = display.add_task(what, total=total, completed=done, first=done, of=of, figures="")
    if outer is None:
        _live = display
        _despite_closed(display.start)
    try:
        yield _Bar(display, task)
    finally:
        if outer is None:
            _live = None
            _despite_closed(display.stop)
        else:
            outer.remove_task(task)


def duration(seconds: float) -> str:
    """A time span as people say it: ``8 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _terminal() -> bool:
    try:
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


class _Console(Console):
    """A console on stderr that does not end the process when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Carry on: the run matters more than its log."""


def _console() -> Console:
    return _Console(stderr=True, highlight=False, soft_wrap=True)


def _print(text: str, style: str) -> None:
    def write() -> None:
        if _terminal():
            (_live.console if _live else _console()).print(Text(text, style=style), soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints

    _despite_closed(write)


def _despite_closed(action: Callable[[], object]) -> None:
    """A stderr that is closed, full or gone must not end a long run."""
    try:
        action()
    except (OSError, ValueError, AttributeError):
        return


def _so_far(what: str, count: int, total: int | None) -> str:
    return f"{what} {count}" if not total else f"{what} {count}/{total} ({100 * count // total}%)"


def _pace(steps: float, seconds: float) -> str:
    if steps <= 0 or seconds <= 0:
        return ""
    rate = steps / seconds
    return f"{_rounded(rate, 3)}/s" if rate >= 1 else f"{_rounded(1 / rate, 3)} s each"


def _shown(figures: Mapping[str, float | str]) -> str:
    return " ".join(f"{name}={_cell(value)}" for name, value in figures.items())


def _cell(value: object) -> str:
    """A value in at most four meaningful digits; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float) and math.isfinite(value):
        return _rounded(value, 4)
    return str(value)


def _rounded(value: float, digits: int) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [
        " " * (width - cell_len(cell)) + cell if to_right else cell + " " * (width - cell_len(cell))
        for cell, width, to_right in zip(row, widths, right, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _plain(value: Any) -> Any:
    """The value in the types JSON has; numbers of numpy and torch become Python's, paths become text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _plain(value.item()) if hasattr(value, "item") else str(value)
