"""Layers that keep their input alone and are computed again on the way back: memory for time."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Recomputes(Protocol):
    """A part that can forget what it computed until its gradient is asked for (Chen et al. 2016)."""

    recomputes: bool


def recompute(model: nn.Module, wanted: bool) -> bool:
    """Has every layer of a model that can recompute, or keep, what it computes; gives whether one can."""
    parts = [part for part in model.modules() if isinstance(part, Recomputes)]
    for part in parts:
        part.recomputes = wanted
    return bool(parts)
