"""Weights laid out once for inference on a CPU: the same function, faster, and good for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from glassformer.nn.folding import twin

# In float32 the call costs more than it saves on smaller matrices (docs/decisions/0015-packed-weights.md).
LEAST_FLOAT32 = 2**20
ROWS = 16  # for which the layout is chosen: a few, as decoding has them


class Packed(nn.Module):
    """One or several linear maps of the same vectors as one product, W x + b, their results side by side."""

    def __init__(self, parts: Sequence[Linear], dtype: torch.dtype) -> None:
        super().__init__()
        self.sizes = [len(part.weight) for part in parts]
        whole = torch.cat([part.weight.detach().to(dtype) for part in parts])
        self.weight = torch.ops.mkldnn._reorder_linear_weight(whole, ROWS)
        self.bias = _joined([part.bias for part in parts], self.sizes, dtype)

    def forward(self, x: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows scores"]:
        """The results of all maps, in order along the last axis."""
        if not x.numel():
            return x.new_zeros((*x.shape[:-1], sum(self.sizes)))
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return product

    def apart(self, x: Float[Tensor, "*rows dim"]) -> tuple[Tensor, ...]:
        """The result of each map."""
        return self(x).split(self.sizes, dim=-1)


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


@runtime_checkable
class Packs(Protocol):
    """A part of a model that knows which of its matrices read the same vectors."""

    def pack(self, dtype: torch.dtype, least: int) -> None:
        """Replace its matrices by packed ones, but for products of fewer than ``least`` numbers."""
        ...


def packed(parts: Sequence[Linear], dtype: torch.dtype, least: int) -> Packed | None:
    """The maps as one product; None where that is smaller than ``least``."""
    return Packed(parts, dtype) if sum(part.weight.numel() for part in parts) >= least else None


def pack_together(owner: nn.Module, names: Sequence[str], dtype: torch.dtype, least: int) -> Packed | None:
    """The parts of these names as one product, taken off their owner; None where it is too small for that."""
    one = packed([getattr(owner, name) for name in names], dtype, least)
    if one is not None:
        for name in names:
            delattr(owner, name)
    return one


def pack_each(owner: nn.Module, names: Sequence[str], dtype: torch.dtype, least: int) -> None:
    """Put a packed map in the place of each part of these names that is there and large enough."""
    for name in names:
        part = getattr(owner, name, None)
        if part is not None and (one := packed([part], dtype, least)) is not None:
            setattr(owner, name, one)


def can_pack() -> bool:
    """Whether this PyTorch has the library that packs."""
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return there and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def running(model: nn.Module, dtype: torch.dtype, least: int | None = None) -> nn.Module:
    """A twin of a model for inference on a CPU in ``dtype``, its matrices packed; the model stays as it is.

    What stands beside a matrix is folded into it first (``nn.folding``).
    Weights that need no change are shared, so that those of a float32 file stay mapped from the disk. Without
    ``least`` matrices are packed from the size at which that pays, measured in 0015-packed-weights.
    """
    made = twin(model, dtype)
    if can_pack() and dtype in (torch.float32, torch.bfloat16):
        smallest = LEAST_FLOAT32 if dtype == torch.float32 else 0
        _pack(made, dtype, smallest if least is None else least)
    return made.eval()


def _pack(module: nn.Module, dtype: torch.dtype, least: int) -> None:
    """A part that packs takes care of all its own parts."""
    if isinstance(module, Packs):
        module.pack(dtype, least)
        return
    for child in module.children():
        _pack(child, dtype, least)


def _joined(biases: list[Tensor | None], sizes: list[int], dtype: torch.dtype) -> Tensor | None:
    if all(bias is None for bias in biases):
        return None
    pairs = zip(biases, sizes, strict=True)
    return torch.cat([torch.zeros(size) if bias is None else bias.detach() for bias, size in pairs]).to(dtype)
