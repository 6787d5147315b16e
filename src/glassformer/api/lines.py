"""Lines in, and each with its answer out, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import tee
from typing import TypeVar

from glassformer.base import files

Line = TypeVar("Line")
Found = TypeVar("Found")


def lines_of(source: str | Sequence[str]) -> Iterator[str]:
    """The lines of a file (``-``: stdin), or the texts of a list."""
    if not isinstance(source, str):
        return iter(source)
    return (line for _, line in files.open_lines(source))


def paired(
    lines: Iterable[Line], answer: Callable[[Iterator[Line]], Iterable[Found]]
) -> Iterator[tuple[Line, Found]]:
    """Each line with its answer, of which there is one for each in order; ``answer`` may read ahead."""
    kept, read = tee(lines)
    return zip(kept, answer(read), strict=True)
