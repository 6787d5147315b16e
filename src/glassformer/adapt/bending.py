"""From a trained body to one that an adapter bends: what is put into it, and what of it may learn."""

from __future__ import annotations

from typing import Any

from torch import nn

from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.nn.adapter import keep_base


def keeps_base(settings: Any) -> bool:
    """Whether this way leaves the weights of the trained model alone; UserError if it trains nothing."""
    if settings.name == "full":
        return False
    if not hasattr(_way(settings), "bend"):
        raise UserError(
            f"adapt: {settings.name} trains nothing, so there is no run of it; use glassformer shots"
        )
    return True


def check(settings: Any, *, started: bool, headed: bool) -> None:
    """Refuses, by UserError, what cannot be: no trained model to bend, or nothing that could learn."""
    if not keeps_base(settings):
        return
    if not started:
        raise UserError(
            f"adapt: {settings.name} bends a trained model, and this recipe begins with a new one; name a "
            "model folder in init, or use adapt: full"
        )
    if getattr(_way(settings), "HEAD_ALONE", False) and not headed:
        raise UserError(
            f"adapt: {settings.name} trains the head alone, and this objective brings none; choose an "
            "objective with a head, such as classification, or another way to adapt"
        )


def bend(settings: Any, body: nn.Module, tokenizers: Any) -> None:
    """Bends a body in place: its own weights no longer require a gradient, and what is put into it does.

    A head that is put on it afterwards learns too.
    """
    if keeps_base(settings):
        keep_base(body)
        _way(settings).bend(body, settings, tokenizers)


def trained(model: nn.Module) -> int:
    """How many numbers of a model learn."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _way(settings: Any) -> Any:
    return plugins.find("adapt", settings.name)
