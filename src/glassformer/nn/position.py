"""Where a token stands: vectors added to the embeddings so that attention can tell order."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.errors import UserError


def sinusoid(length: int, dim: int) -> Float[Tensor, "length dim"]:
    """The fixed position vectors of the Transformer, sines in the first half and cosines in the second.

        PE(p, i) = sin(p / 10000^(2i/dim)),   PE(p, dim/2 + i) = cos(p / 10000^(2i/dim))
                                                        (Vaswani et al. 2017, §3.5)

    The paper interleaves the two; the halves are the same functions in another order of the dimensions, which
    no model can tell apart, and it is the order of published Marian checkpoints. Made in float64.
    """
    rates = torch.arange(0, dim, 2, dtype=torch.float64) / dim
    angles = torch.arange(length, dtype=torch.float64)[:, None] / torch.pow(10000.0, rates)
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :dim].to(torch.float32)


def counted(keep: Bool[Tensor, "rows token"]) -> Int[Tensor, "rows token"]:
    """The positions of tokens in rows with padding, which has none of its own: 0, 1, 2 … over what is kept.

    What stands on padding before the first token is given 0, and after the last token the last position.
    """
    return (keep.cumsum(dim=1) - 1).clamp(min=0)


def fits(length: int, max_length: int) -> None:
    """Raises UserError for a text that is longer than a model reads."""
    if length > max_length:
        raise UserError(
            f"a text of {length} tokens is longer than the model, which reads {max_length}; "
            "shorten the text or train with a larger model.max_length"
        )


class Positions(nn.Module):
    """Position vectors, fixed (``sinusoidal``) or trained (``learned``), for positions below ``max_length``.

    >>> Positions("sinusoidal", 16, 8)(0, 5).shape
    torch.Size([5, 8])
    """

    weight: Tensor

    def __init__(self, kind: str, max_length: int, dim: int) -> None:
        super().__init__()
        self.max_length = max_length
        if kind == "learned":
            self.weight = nn.Parameter(torch.empty(max_length, dim))
        else:
            self.register_buffer("weight", sinusoid(max_length, dim), persistent=False)

    def forward(
        self, start: int | Int[Tensor, "rows length"], length: int
    ) -> Float[Tensor, "*rows length dim"]:
        """The vectors of positions ``start … start + length - 1``, or of the positions given for each row.

        Raises UserError for positions past ``max_length``; those of a tensor no wider than that are trusted,
        so that a device is not waited for.
        """
        if isinstance(start, int):
            fits(start + length, self.max_length)
            return self.weight[start : start + length]
        if length > self.max_length:
            fits(int(start.max()) + 1, self.max_length)
        return functional.embedding(start, self.weight)
