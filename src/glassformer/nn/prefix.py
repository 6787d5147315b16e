"""Keys and values that learn and stand before those of every text, in every layer of self-attention."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.attention import Attention
from glassformer.nn.block import Block
from glassformer.nn.cache import Slot
from glassformer.nn.headed import body_of
from glassformer.nn.mask import Mask
from glassformer.nn.virtual import shorten

STD = 0.02


class Prefixes(nn.Module):
    """Keys and values for all layers, side by side: key and value of the first layer, then of the second …

        table [token, Σ 2·size],   or with ``inner``   table = W₂ tanh(W₁ P + b₁) + b₂
                                                                        (Li & Liang 2021, §4.2, §4.3)

    ``sizes`` are the widths of a layer's keys. Of the second form only the table is needed after training.
    """

    def __init__(self, tokens: int, sizes: Sequence[int], *, inner: int = 0, dim: int = 0) -> None:
        super().__init__()
        self.tokens, self.sizes = tokens, tuple(sizes)
        self.starts = (0, *accumulate(2 * size for size in self.sizes))
        if inner:
            self.small = nn.Parameter(torch.randn(tokens, dim))
            self.up = nn.Linear(dim, inner)
            self.down = nn.Linear(inner, self.starts[-1])
        else:
            self.table = nn.Parameter(torch.randn(tokens, self.starts[-1]) * STD)

    def whole(self) -> Float[Tensor, "token all"]:
        """The table."""
        return self._columns(slice(None))

    def of(self, layer: int) -> tuple[Float[Tensor, "token size"], Float[Tensor, "token size"]]:
        """Keys and values of a layer."""
        start, size = self.starts[layer], self.sizes[layer]
        found = self._columns(slice(start, start + 2 * size))
        return found[:, :size], found[:, size:]

    def _columns(self, columns: slice) -> Tensor:
        if not hasattr(self, "small"):
            return self.table[:, columns]
        inner = torch.tanh(self.up(self.small))
        return functional.linear(inner, self.down.weight[columns], self.down.bias[columns])

    def folded(self) -> Prefixes:
        """The same as a table alone."""
        plain = Prefixes(self.tokens, self.sizes)
        plain.table = nn.Parameter(self.whole().detach(), requires_grad=False)
        return plain.train(self.training)


class Prefixed(Attention):
    """Attention whose every query also sees the prefix of its layer, whatever else it may see."""

    prefix: Prefixes
    layer: int

    def _seen(self, k: Tensor, v: Tensor, mask: Mask, cache: Slot | None) -> tuple[Tensor, Tensor, Mask]:
        # A memory that has been read into holds the prefix already.
        if cache is None or not cache.length:
            front = (
                self._split(part.to(k.dtype)[None], self.kv_heads) for part in self.prefix.of(self.layer)
            )
            k, v = (
                torch.cat([new.expand(len(old), -1, -1, -1), old], dim=2)
                for new, old in zip(front, (k, v), strict=True)
            )
        return super()._seen(k, v, mask.after(self.prefix.tokens), cache)


def self_attentions(body: nn.Module) -> list[Attention]:
    """The self-attention of every block, in the order of a model's parts."""
    return [part.attention for part in body.modules() if isinstance(part, Block)]


def sizes_of(body: nn.Module) -> list[int]:
    """How wide the keys of every layer are."""
    return [part.kv_heads * part.head_dim for part in self_attentions(body)]


def put_prefixes(model: nn.Module, prefixes: Prefixes) -> None:
    """Put a prefix before the keys of every self-attention of a model.

    Where positions are counted from the front of a text (``first``), they now begin after the prefix, as
    ``transformers`` counts them, and texts may be so much shorter. Raises UserError where nothing is left.
    """
    body: Any = body_of(model)
    for layer, attention in enumerate(self_attentions(body)):
        prefixed: Any = attention
        prefixed.__class__ = Prefixed
        prefixed.prefix, prefixed.layer = prefixes, layer
    if hasattr(body, "first"):
        shorten(model, prefixes.tokens)
        body.first = prefixes.tokens


def prefixes_of(model: nn.Module) -> Prefixes:
    """The prefixes of a model that has them."""
    return next(part for part in model.modules() if isinstance(part, Prefixes))
