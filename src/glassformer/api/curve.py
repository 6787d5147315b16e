"""A curve drawn with letters, for a terminal: some figures over a few places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEIGHT = 9
STEP = 6  # columns between two places


@dataclass(frozen=True, slots=True)
class Curve:
    """A name, the sign that its points are drawn with, and a value for each place, or None."""

    name: str
    sign: str
    values: Sequence[float | None]


def curve(places: Sequence[int], curves: Sequence[Curve], below: str) -> Iterator[str]:
    """The curves one over another, the first in front, with a scale on the left and the places below.

    >>> print("\\n".join(curve([0, 4], [Curve("right", "●", [50.0, 75.0])], "shown")))
      75.0 ┤         ●
           │
           │
           │
      62.5 ┤
           │
           │
           │
      50.0 ┤   ●
           └────────────
               0     4   shown
      ● right
    """
    values = [value for one in curves for value in one.values if value is not None]
    low, high = min(values), max(values)
    high = high if high > low else low + 1
    rows = [[" "] * (STEP * len(places)) for _ in range(HEIGHT)]
    for one in reversed(curves):
        for place, value in enumerate(one.values):
            if value is not None:
                rows[round((high - value) / (high - low) * (HEIGHT - 1))][STEP * place + STEP // 2] = one.sign
    for number, row in enumerate(rows):
        marked = number in (0, HEIGHT // 2, HEIGHT - 1)
        value = high - (high - low) * number / (HEIGHT - 1)
        yield f"{value:6.1f} ┤{''.join(row)}".rstrip() if marked else f"       │{''.join(row)}".rstrip()
    yield f"       └{'─' * (STEP * len(places))}"
    yield f"        {''.join(f'{place:^{STEP}}' for place in places)} {below}"
    yield "  " + "   ".join(f"{one.sign} {one.name}" for one in curves)
