"""The block that encoders and decoders are stacked from, and the few fields that describe every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.config import Settings
from glassformer.nn.attention import Attention
from glassformer.nn.cache import Slot
from glassformer.nn.dropout import Dropout, thin
from glassformer.nn.mask import Mask

Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]


def _gelu_tanh(x: Tensor) -> Tensor:
    return functional.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "gelu": functional.gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": functional.silu,
}


class BlockConfig(Settings):
    """What a block is. ``norm``: the layer norm stands after the residual sum or before the sub-layer."""

    dim: int
    heads: int
    mlp_dim: int
    kv_heads: int | None = None
    head_dim: int | None = None
    norm: Literal["post", "pre"] = "post"
    activation: Activation = "relu"
    cross: bool = False
    bias: bool = True
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    eps: float = 1e-5


class MLP(nn.Module):
    """The network that is the same for every position: W₂ f(W₁ x + b₁) + b₂ (Vaswani et al. 2017, eq. 2)."""

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.dim, config.mlp_dim, bias=config.bias)
        self.down = nn.Linear(config.mlp_dim, config.dim, bias=config.bias)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = Dropout(config.activation_dropout)

    def forward(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """The network applied to every position."""
        return self.down(self.dropout(self.activation(self.up(x))))


class Block(nn.Module):
    """Self-attention, cross-attention where there is a memory to look at, and an MLP, each with a residual.

    ::

        post (as printed):   x = norm(x + dropout(part(x)))        (Vaswani et al. 2017, §5.4)
        pre:                 x = x + dropout(part(norm(x)))        (Xiong et al. 2020)
    """

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.pre = config.norm == "pre"
        self.attention = _attention(config)
        self.attention_norm = nn.LayerNorm(config.dim, eps=config.eps)
        if config.cross:
            self.cross = _attention(config)
            self.cross_norm = nn.LayerNorm(config.dim, eps=config.eps)
        self.mlp = MLP(config)
        self.mlp_norm = nn.LayerNorm(config.dim, eps=config.eps)
        self.rate = config.dropout

    def forward(
        self,
        x: Float[Tensor, "batch token dim"],
        mask: Mask,
        *,
        memory: Float[Tensor, "batch key dim"] | None = None,
        memory_mask: Mask | None = None,
        cache: Slot | None = None,
        memory_cache: Slot | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """One layer further."""
        x = self._residual(x, self.attention_norm, lambda y: self.attention(y, mask, cache=cache))
        if memory is not None and memory_mask is not None:
            x = self._residual(
                x,
                self.cross_norm,
                lambda y: self.cross(y, memory_mask, memory=memory, cache=memory_cache),
            )
        return self._residual(x, self.mlp_norm, self.mlp)

    def _residual(self, x: Tensor, norm: nn.Module, part: Callable[[Tensor], Tensor]) -> Tensor:
        if self.pre:
            return x + self._thin(part(norm(x)))
        normed: Tensor = norm(x + self._thin(part(x)))
        return normed

    def _thin(self, x: Tensor) -> Tensor:
        return thin(x, self.rate) if self.training and self.rate > 0 else x


def _attention(config: BlockConfig) -> Attention:
    return Attention(
        config.dim,
        config.heads,
        kv_heads=config.kv_heads,
        head_dim=config.head_dim,
        dropout=config.attention_dropout,
        bias=config.bias,
    )
