"""Stretches of a parallel corpus where one side has slipped by some lines, found from text lengths alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK = 100
REACH = 3
"""By how many lines a side may have slipped."""


@dataclass(frozen=True)
class Shift:
    """Rows ``first`` to ``last``: each source fits the target ``by`` rows further on better than its own."""

    first: int
    last: int
    by: int


def shifts(source: np.ndarray, target: np.ndarray, files: np.ndarray) -> Iterator[Shift]:
    """The slipped stretches of rows with these lengths; ``files`` numbers the file that each row is from.

    A long source has a long translation, so within a block of rows the lengths of the two sides correlate. A
    block has slipped when they do not, but do once the targets are moved up or down a few rows. Blocks that
    slipped alike are joined. Shorter stretches than half a block are not seen.
    """
    current: Shift | None = None
    for file in np.unique(files):
        inside = np.flatnonzero(files == file)
        for start in range(int(inside[0]), int(inside[-1]) + 1, BLOCK):
            stop = min(start + BLOCK, int(inside[-1]) + 1)
            by = _slip(source[start:stop], target[start:stop])
            if current is not None and (by != current.by or start != current.last + 1):
                yield current
                current = None
            if by:
                current = Shift(current.first if current else start, stop - 1, by)
    if current is not None:
        yield current


def _slip(source: np.ndarray, target: np.ndarray) -> int:
    """By how many rows the targets of one block have slipped: 0 when not at all, or when nobody can tell."""
    if len(source) < BLOCK // 2:
        return 0
    source, target = np.log(source + 1), np.log(target + 1)
    fits = {by: _fit(source, target, by) for by in range(-REACH, REACH + 1)}
    best = max(fits, key=lambda by: fits[by])
    return best if fits[best] > 0.5 and fits[0] < 0.5 * fits[best] else 0


def _fit(source: np.ndarray, target: np.ndarray, by: int) -> float:
    one = source[: len(source) - by] if by >= 0 else source[-by:]
    other = target[by:] if by >= 0 else target[:by]
    if one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
