"""How the command line ends when something went wrong: one sentence on stderr, and the right exit code."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from glassformer.base import report
from glassformer.base.errors import UserError

DEBUG = "GLASSFORMER_DEBUG"
INTERRUPTED, UNREAD = 130, 141  # what a shell says of a process ended by SIGINT, by SIGPIPE


class Verbs(TyperGroup):
    """All verbs; whatever goes wrong in one of them ends as a sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was typed."""
        with told():
            return super().invoke(ctx)


@contextmanager
def told() -> Iterator[None]:
    """Turn whatever is raised inside into a sentence and ``typer.Exit``; usage errors are left to typer."""
    try:
        yield
    except BrokenPipeError:
        report.drop_stdout()
        raise typer.Exit(UNREAD) from None
    except KeyboardInterrupt:
        report.fail("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        # Usage errors come from click, or from typer's own copy of it, by typer's version.
        if hasattr(error, "format_message"):
            raise
        if os.environ.get(DEBUG):
            traceback.print_exc()
        report.fail(_sentence(error))
        raise typer.Exit(error.exit_code if isinstance(error, UserError) else 1) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "there is not enough memory; use smaller batches, a smaller model or fewer beams"
    lines = str(error).strip().splitlines() or ["no further words"]
    return f"unexpected {type(error).__name__}: {lines[0]} (set {DEBUG}=1 to see where)"
