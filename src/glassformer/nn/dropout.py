"""Dropout that draws sixteen random bits a number, not a float, since on a CPU the drawing is the cost."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 1 << 16


def thin(x: Float[Tensor, "*shape"], rate: float) -> Float[Tensor, "*shape"]:
    """``x`` with each number set to zero with probability ``rate`` and the others scaled by 1 / (1 - rate).

    The rate is rounded to a multiple of 1/65536 and the scale follows the rounded rate, so that the mean is
    exact. Four numbers share one 64-bit draw. (Srivastava et al. 2014)
    """
    return functional.dropout(x, rate) if x.device.type != "cpu" else x * kept(x, rate)


def kept(x: Float[Tensor, "*shape"], rate: float) -> Float[Tensor, "*shape"]:
    """What ``thin`` multiplies ``x`` by on a CPU: 0, or 1 / (1 - rate)."""
    dropped = round(rate * LEVELS)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(1 << 63), None)
    bits = draws.view(torch.int16)[: x.numel()].view(x.shape)
    keep = torch.ge(
        bits, dropped - LEVELS // 2, out=torch.empty_like(x, memory_format=torch.contiguous_format)
    )
    return keep.mul_(LEVELS / (LEVELS - dropped))


class Dropout(nn.Module):
    """Dropout in training, nothing in evaluation."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``x`` thinned in training, ``x`` itself otherwise."""
        return thin(x, self.rate) if self.training and self.rate > 0 else x

    def extra_repr(self) -> str:
        """The rate, for printing."""
        return f"{self.rate}"
