"""What makes a comparison worthless: systems that do not do the same work. It is found here, loudly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class NotTheSameWork(RuntimeError):  # noqa: N818 - the name says what happened
    """Two systems were measured on different work, so their times cannot be compared."""


def equal(what: str, values: Mapping[str, Any]) -> None:
    """Every system has the same value."""
    first = next(iter(values.values()), None)
    if any(value != first for value in values.values()):
        listed = ", ".join(f"{name}: {value}" for name, value in values.items())
        raise NotTheSameWork(f"{what} differ: {listed}")


def close(what: str, values: Mapping[str, float], tolerance: float) -> None:
    """Every system has the same value but for ``tolerance``."""
    first = next(iter(values.values()), 0.0)
    # Not a number is close to nothing, itself included.
    if not all(abs(value - first) <= tolerance for value in values.values()):
        listed = ", ".join(f"{name}: {value:.6f}" for name, value in values.items())
        raise NotTheSameWork(f"{what} differ by more than {tolerance}: {listed}")


def outputs(what: str, written: Mapping[str, Sequence[Sequence[int]]]) -> None:
    """Every system wrote the same tokens; says for which line they first part."""
    names = list(written)
    for other in names[1:]:
        mine, theirs = written[names[0]], written[other]
        if len(mine) != len(theirs):
            raise NotTheSameWork(f"{what}: {names[0]} wrote {len(mine)} lines, {other} {len(theirs)}")
        parted = [
            line for line, pair in enumerate(zip(mine, theirs, strict=True)) if list(pair[0]) != list(pair[1])
        ]
        if parted:
            line = parted[0]
            raise NotTheSameWork(
                f"{what}: {names[0]} and {other} differ in {len(parted)} of {len(mine)} lines, first in line "
                f"{line}: {list(mine[line])} and {list(theirs[line])}"
            )
