"""Weights laid out once for inference on a CPU: the same function, faster, and good for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from glassformer.base import machine
from glassformer.nn import int8
from glassformer.nn.folding import twin
from glassformer.nn.joint import Joint, Linear, Matrix, biases, weights

LEAST = {torch.float32: 2**20, torch.bfloat16: 0, torch.int8: 2**18}
"""Of how many numbers a matrix must be so that packing pays (0015-packed-weights.md, 0018-int8.md)."""
TRIED = (1, 32)  # rows that show together whether int8 pays
ROWS = 16  # for which the layout is chosen: a few, as decoding has them


class Packed(Joint):
    """Linear maps of the same vectors as one product, its matrix in the layout that oneDNN multiplies."""

    def __init__(self, parts: Sequence[Linear], dtype: torch.dtype) -> None:
        super().__init__(parts)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weights(parts, dtype), ROWS)
        self.bias = biases(parts, dtype)

    def _product(self, x: Tensor) -> Tensor:
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return product


@runtime_checkable
class Packs(Protocol):
    """A part of a model that knows which of its matrices read the same vectors."""

    def pack(self, dtype: torch.dtype, least: int) -> None:
        """Replace its matrices by packed ones, but for products of fewer than ``least`` numbers."""
        ...


def packed(parts: Sequence[Linear], dtype: torch.dtype, least: int) -> Joint | None:
    """The maps as one product; None where that is smaller than ``least``."""
    if sum(part.weight.numel() for part in parts) < least:
        return None
    return int8.Integers(parts) if dtype == torch.int8 else Packed(parts, dtype)


def pack_together(owner: nn.Module, names: Sequence[str], dtype: torch.dtype, least: int) -> Joint | None:
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


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this PyTorch has what packs for products in ``dtype``."""
    if dtype == torch.int8:
        return int8.can()
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return there and dtype in LEAST and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def int8_pays(found: machine.Machine) -> bool:
    """Whether products in int8 are exact on this CPU, and faster than in the precision that is fast here.

    Measured once in half a second (``base.machine.decided``).
    """
    return can_pack(torch.int8) and machine.decided("int8", lambda: int8.exact() and _faster(found), found)


@torch.inference_mode()
def _faster(found: machine.Machine) -> bool:
    """Whether a product of one row and one of many take less time together."""
    dtype = getattr(torch, machine.precision("auto", found))
    part = Matrix(torch.linspace(-1, 1, int8.READ * int8.WRITTEN).view(int8.WRITTEN, int8.READ))
    x = torch.linspace(-1, 1, int8.READ * max(TRIED)).view(-1, int8.READ)
    forms = (int8.Integers([part]), x), (Packed([part], dtype), x.to(dtype))
    seconds = [
        sum(machine.quickest(partial(form, rows[:count]), "cpu", budget=0.1) for count in TRIED)
        for form, rows in forms
    ]
    return seconds[0] < seconds[1]


def running(model: nn.Module, dtype: torch.dtype, least: int | None = None) -> nn.Module:
    """A twin of a model for inference on a CPU in ``dtype``, its matrices packed; the model stays as it is.

    With ``torch.int8`` matrices are multiplied in integers (``nn.int8``) and all else is float32. What stands
    beside a matrix is folded into it first (``nn.folding``). Weights that need no change are shared, so that
    those of a float32 file stay mapped from the disk. Without ``least`` matrices are packed from the size at
    which that pays.
    """
    made = twin(model, torch.float32 if dtype == torch.int8 else dtype)
    if can_pack(dtype):
        _pack(made, dtype, LEAST[dtype] if least is None else least)
    return made.eval()


def _pack(module: nn.Module, dtype: torch.dtype, least: int) -> None:
    """A part that packs takes care of all its own parts."""
    if isinstance(module, Packs):
        module.pack(dtype, least)
        return
    for child in module.children():
        _pack(child, dtype, least)
