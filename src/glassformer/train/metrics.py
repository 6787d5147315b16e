"""``metrics.jsonl``: one JSON object a line, appended to; a resumed run cuts off what it will repeat."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glassformer.base import files
from glassformer.base.errors import RunError

NAME = "metrics.jsonl"


class Metrics:
    """Writes lines such as ``{"kind": "train", "step": 10, "loss": 6.2, …}``; NaN becomes null."""

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / NAME
        if self.path.exists():
            files.write_text(self.path, "".join(json.dumps(line) + "\n" for line in read(folder, step)))
        with _advising(self.path):
            self._file = os.open(
                self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644
            )

    def write(self, kind: str, step: int, figures: Mapping[str, Any]) -> None:
        """Appends one line in a single write, so that a kill leaves at most the last line unfinished."""
        line = {"kind": kind, "step": step, **{name: _plain(value) for name, value in figures.items()}}
        with _advising(self.path):
            os.write(self._file, (json.dumps(line) + "\n").encode())

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)


def read(folder: Path, last: int | None = None) -> list[dict[str, Any]]:
    """The lines up to step ``last`` (0: none, None: all); a half-written line is left out."""
    lines = []
    for text in (folder / NAME).read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        step = line.get("step") if isinstance(line, dict) else None
        if isinstance(step, int) and (last is None or 0 < last >= step):
            lines.append(line)
    return lines


@contextmanager
def _advising(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; make room there and resume with --resume"
        ) from error


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
