"""Several linear maps of the same vectors as one product: what all layouts of its numbers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn


@runtime_checkable
class Linear(Protocol):
    """W x + b."""

    @property
    def weight(self) -> Tensor:
        """W."""
        ...

    @property
    def bias(self) -> Tensor | None:
        """b."""
        ...


@dataclass(frozen=True)
class Matrix:
    """W x, of a matrix that is no part of a model."""

    weight: Tensor
    bias: Tensor | None = None


class Joint(nn.Module, ABC):
    """Linear maps of the same vectors as one product, W x + b, their results side by side; for use alone."""

    def __init__(self, parts: Sequence[Linear]) -> None:
        super().__init__()
        self.sizes = [len(part.weight) for part in parts]

    def forward(self, x: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows scores"]:
        """The results of all maps, in order along the last axis."""
        if not x.numel():
            return x.new_zeros((*x.shape[:-1], sum(self.sizes)))
        return self._product(x)

    @abstractmethod
    def _product(self, x: Tensor) -> Tensor:
        """The product, of at least one row."""

    def apart(self, x: Float[Tensor, "*rows dim"]) -> tuple[Tensor, ...]:
        """The result of each map."""
        return self(x).split(self.sizes, dim=-1)


def weights(parts: Sequence[Linear], dtype: torch.dtype) -> Float[Tensor, "scores dim"]:
    """The matrices of the maps, one below the other."""
    return torch.cat([part.weight.detach().to(dtype) for part in parts])


def biases(parts: Sequence[Linear], dtype: torch.dtype) -> Float[Tensor, " scores"] | None:
    """Their biases, zero where one has none; None where none has."""
    if all(part.bias is None for part in parts):
        return None
    each = [torch.zeros(len(part.weight)) if part.bias is None else part.bias.detach() for part in parts]
    return torch.cat(each).to(dtype)
