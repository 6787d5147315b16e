"""What every kind of adapter folder has in common: its files, and what a kind must say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.nn.adapter import Adapter
from glassformer.nn.headed import Head
from glassformer.nn.names import Names

CONFIG, WEIGHTS, OWN = "adapter_config.json", "adapter_model.safetensors", "glassformer.json"
PREFIX = "base_model.model."
"""What peft writes before the name of a weight of the base."""


@runtime_checkable
class Form(Protocol):
    """How adapters of one kind look in files.

    ``NAME`` is ours, ``PEFT`` peft's. ``FOLDS``: a whole model can compute the same. ``BESIDE``: it stands
    beside matrices of the base, so that peft writes ``PREFIX`` in full. ``PARTS`` are what the modules of the
    model that are its own are called; all else that learns, as a head does, is written as it is.
    """

    NAME: str
    PEFT: str
    FOLDS: bool
    BESIDE: bool
    PARTS: tuple[str, ...]

    def known(self, head: Head | None) -> bool:
        """Whether peft computes the same with it under this head."""
        ...

    def told(self, model: nn.Module, names: Names, adapter: Adapter) -> dict[str, Any]:
        """What its ``adapter_config.json`` says, under peft's keys."""
        ...

    def own(self, model: nn.Module, names: Names) -> dict[str, Any]:
        """What peft has no key for."""
        ...

    def weights(self, model: nn.Module, names: Names) -> dict[str, Tensor]:
        """Its weights, under peft's names, but for those of a head."""
        ...

    def put_on(self, model: nn.Module, names: Names, told: Told, weights: dict[str, Tensor]) -> None:
        """Bend the model, and take the weights that belong to it out of ``weights``."""
        ...


@dataclass(frozen=True)
class Told:
    """What an adapter folder says: under peft's keys, and under ours where it was written here.

    Weights are taken in ``dtype``.
    """

    folder: Path
    form: Form
    peft: Mapping[str, Any]
    own: Mapping[str, Any]
    dtype: torch.dtype = torch.float32


def pour(weight: Tensor, place: Tensor, name: str, told: Told) -> None:
    """Put a weight into its place; UserError where it does not fit or is not made of numbers."""
    where = told.folder / WEIGHTS
    if weight.shape != place.shape:
        raise UserError(
            f"{where}: {name} is {list(weight.shape)} and its place in the base {list(place.shape)}; the "
            "adapter is of another model"
        )
    if not weight.is_floating_point() or not weight.isfinite().all():
        raise UserError(f"{where}: {name} holds NaN or infinity; the adapter is broken, train it again")
    if not place.is_meta:
        place.data = weight.to(told.dtype).contiguous()
