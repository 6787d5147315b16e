"""Probes in adapter folders: a head and nothing else, for which peft has no name."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from glassformer.hub.adapter_form import Told
from glassformer.nn.adapter import Adapter
from glassformer.nn.headed import Head
from glassformer.nn.names import Names

NAME, PEFT = "probe", "GLASSFORMER_PROBE"
FOLDS = BESIDE = True
PARTS: tuple[str, ...] = ()


def known(head: Head | None) -> bool:  # noqa: ARG001
    """There it is no adapter."""
    return False


def told(model: nn.Module, names: Names, adapter: Adapter) -> dict[str, Any]:  # noqa: ARG001
    """Nothing but what is said of every adapter."""
    return {}


def own(model: nn.Module, names: Names) -> dict[str, Any]:  # noqa: ARG001
    """The same."""
    return {}


def weights(model: nn.Module, names: Names) -> dict[str, Tensor]:  # noqa: ARG001
    """None but those of the head."""
    return {}


def put_on(model: nn.Module, names: Names, told: Told, weights: dict[str, Tensor]) -> None:
    """The body stays as it is."""
