"""How fast each layer of a model learns, and from which step on: nothing is moved here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, order=True)
class Pace:
    """``factor`` multiplies the learning rate; before step ``begins``, counted from 1, nothing moves."""

    begins: int = 1
    factor: float = 1.0


AT_ONCE = Pace()
Paces = Mapping[str, Pace]
"""The pace of each parameter, by its name; those that are not named learn at once and in full."""


def depths(model: nn.Module) -> dict[str, int]:
    """How far below the top of its model each parameter lies, 0 at the top.

    The layers of a stack are known by their numbers (``blocks.3.``), and the last of every stack stands at 1.
    What is registered before the first stack lies below all layers, what comes after it at the top, a head
    above all.
    """
    names = [name for name, _ in model.named_parameters()]
    stacks: dict[str, int] = {}
    for name in names:
        if (found := _number(name)) is not None:
            stacks[found[0]] = max(stacks.get(found[0], 0), found[1] + 1)
    deepest = max(stacks.values(), default=0) + 1
    told: dict[str, int] = {}
    below = bool(stacks)
    for name in names:
        found = _number(name)
        below = below and found is None
        told[name] = deepest if below else 0 if found is None else stacks[found[0]] - found[1]
    return told


def _number(name: str) -> tuple[str, int] | None:
    """The stack that a parameter is in and the number of its layer."""
    parts = name.split(".")
    place = next((place for place, part in enumerate(parts) if part.isdecimal()), None)
    return None if place is None else (".".join(parts[:place]), int(parts[place]))


def paces(model: nn.Module, *, decay: float = 1.0, every: int = 0) -> dict[str, Pace]:
    """The pace of every parameter: the rate falls by ``decay`` from layer to layer, from the top down.

    With ``every`` the top alone learns at first, and every so many steps one layer more (Howard & Ruder 2018,
    §3.2, §3.3).
    """
    return {name: Pace(1 + every * depth, decay**depth) for name, depth in depths(model).items()}
