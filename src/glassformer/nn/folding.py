"""Twins of models for use alone: what stands beside a matrix is folded into it, so that it costs nothing."""

from __future__ import annotations

import copy
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn


@runtime_checkable
class Folds(Protocol):
    """A part that a plainer one computes the same as, but for rounding."""

    def folded(self) -> nn.Module:
        """The plainer part; this one stays as it is."""
        ...


def folded(model: nn.Module) -> nn.Module:
    """A twin of a model with all that folds folded; the model stays as it is and shares all other weights."""
    return twin(model, None)


def twin(model: nn.Module, dtype: torch.dtype | None) -> nn.Module:
    """The same modules, folded, over the same weights, converted where their type is another than ``dtype``.

    What is tied stays tied.
    """
    return _twin(model, dtype, {})


def _twin(module: nn.Module, dtype: torch.dtype | None, known: dict[int, Any]) -> nn.Module:
    if id(module) not in known:
        made = module.folded() if isinstance(module, Folds) else copy.copy(module)
        known[id(module)] = made
        made._parameters = {name: _converted(one, dtype, known) for name, one in made._parameters.items()}
        made._buffers = dict(made._buffers)
        made._modules = {
            name: None if one is None else _twin(one, dtype, known) for name, one in made._modules.items()
        }
    found: nn.Module = known[id(module)]
    return found


def _converted(
    weight: nn.Parameter | None, dtype: torch.dtype | None, known: dict[int, Any]
) -> nn.Parameter | None:
    if weight is None or dtype is None or weight.dtype == dtype:
        return weight
    if id(weight) not in known:
        # The original is kept beside it: its number must not be given to another while this goes on.
        known[id(weight)] = (weight, nn.Parameter(weight.detach().to(dtype), requires_grad=False))
    found: nn.Parameter = known[id(weight)][1]
    return found
