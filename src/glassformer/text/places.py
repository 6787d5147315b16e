"""Where in a text each piece stands, in its characters, so that what was found can be cut out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Placed:
    """The ids of a text, and which of its characters each stands for: from ``starts`` to before ``ends``.

    Spaces at either end of a piece are left out, so that one of nothing but spaces ends where it starts.
    Every other character belongs to a piece, both ends grow along the text, and several may share one
    that was cut inside (the jamo of a syllable, the bytes of an emoji).
    """

    ids: list[int]
    starts: np.ndarray
    ends: np.ndarray

    def around(self, start: int, end: int) -> tuple[int, int] | None:
        """The first and the last piece that stand for any of these characters; None where none does."""
        found = np.flatnonzero((self.starts < end) & (self.ends > start) & (self.starts < self.ends))
        return (int(found[0]), int(found[-1])) if len(found) else None


def placed(text: str, ids: list[int], offsets: Sequence[tuple[int, int]]) -> Placed:
    """The places of pieces from the offsets that the tokenizers library gives.

    These leave out what its normalizer took away or joined to the letter before: an accent that was written
    on its own (e + ´ = é), the later jamo of a syllable, invisible signs. They go to the piece beside them;
    a whole word of such signs is nobody's.
    """
    table = np.array(offsets, dtype=np.int64).reshape(len(ids), 2)
    ends = np.maximum.accumulate(table[:, 1])
    starts = np.minimum.accumulate(table[::-1, 0])[::-1].copy()
    before = 0
    for at in range(len(ids)):
        first, last = int(starts[at]), int(ends[at])
        while first > before and not text[first - 1].isspace():
            first -= 1
        following = int(starts[at + 1]) if at + 1 < len(ids) else len(text)
        while last < following and not text[last].isspace():
            last += 1
        before = max(before, last)
        starts[at], ends[at] = _without_spaces(text, first, last)
    return Placed(ids, starts, np.maximum.accumulate(ends))


def _without_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return start, end
