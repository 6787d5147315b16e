"""Whether files are what was written: bytes are compared once, and again only when a file has changed."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from glassformer.base import files, report
from glassformer.base.errors import RunError

BLOCK = 1 << 20
NOTES = "checked.json"
"""What lies beside compared files: the size, times and place on disk that each had."""
SETTLED = 2_000_000_000
"""Nanoseconds after which a file that is changed once more is sure to have another time."""


def checksum(path: Path, seen: Callable[[int], None] | None = None) -> int:
    """The CRC-32 of a file; ``seen`` is told how many bytes have just been read."""
    total = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            total = zlib.crc32(block, total)
            if seen is not None:
                seen(len(block))
    return total


def damaged(folder: Path, sums: Mapping[str, int]) -> list[str]:
    """The files of ``folder`` whose bytes are not those of ``sums``, with a bar where there are many bytes.

    Files that have not changed since they were last found sound are not read: that is told by their size,
    the times of their last change, and where they lie, which are noted beside them where that can be written.
    Raises OSError for a file that is missing.
    """
    stamps = {name: _stamp(folder / name) for name in sums}
    if stamps == _noted(folder):
        return []
    found = _compared(folder, sums, sum(stamp[0] for stamp in stamps.values()))
    if not found and _settled(stamps.values()):
        # Without the note, on a disk that may only be read, the next opening takes as long again.
        with suppress(RunError, OSError):
            files.write_text(folder / NOTES, json.dumps(stamps) + "\n")
    return found


def _compared(folder: Path, sums: Mapping[str, int], size: int) -> list[str]:
    # A core sums up some 400 MB a second where the disk is not the slower.
    with report.weighing(size, f"checking {folder.name}") as seen:
        return [name for name, value in sums.items() if checksum(folder / name, seen) != value]


def _stamp(path: Path) -> list[int]:
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]


def _settled(stamps: Iterable[list[int]]) -> bool:
    """Whether the last change is so long ago that the next cannot have its time."""
    newest = max((max(stamp[1:3]) for stamp in stamps), default=0)
    return time.time_ns() - newest > SETTLED


def _noted(folder: Path) -> object:
    """What was noted of the files, if it can be read; it is only ever compared."""
    try:
        noted: object = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return noted
