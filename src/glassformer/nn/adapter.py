"""What is known of a model that was bent from another: by which way, with which settings, from which base."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from torch import nn

from glassformer.base.config import Settings
from glassformer.nn.headed import body_of


class Adapter(Settings):
    """What a model carries that was bent from another.

    ``name`` is the way, ``settings`` are those it was bent with. ``base`` is where the other lies: a path, or
    an address such as ``hf://owner/name``. ``fingerprint`` is that of its weights, None where none is known.
    """

    name: str
    base: str
    fingerprint: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


def adapter_of(model: nn.Module) -> Adapter | None:
    """What is known of how a model was bent; None for a whole model."""
    found = getattr(model, "adapter", None)
    return found if isinstance(found, Adapter) else None


def note(model: nn.Module, adapter: Adapter | None) -> None:
    """Write it down at the model, or strike it out."""
    model.adapter = adapter  # type: ignore[assignment]


def learns(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are not the base's, by their names: those that learn, once the model was bent."""
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def keep_base(model: nn.Module) -> None:
    """No parameter of the body requires a gradient any more; what is put into it afterwards does.

    Those that the body itself says are of the task (``of_the_task``, names) go on learning under a head.
    """
    body: Any = body_of(model)
    body.requires_grad_(False)
    for name in getattr(body, "of_the_task", ()):
        body.get_parameter(name).requires_grad_(True)
