"""The block that encoders and decoders are stacked from, and the few fields that describe every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from glassformer.base.config import Settings
from glassformer.nn.activation import ACTIVATIONS, Activation
from glassformer.nn.attention import Attention, Rotary
from glassformer.nn.cache import Slot
from glassformer.nn.dropout import Dropout, thin
from glassformer.nn.joint import Joint
from glassformer.nn.mask import Mask
from glassformer.nn.packed import pack_each, pack_together


class BlockConfig(Settings):
    """What a block is.

    ``norm`` stands after the residual sum or before the sub-layer and subtracts the mean and divides by the
    deviation (``layer``) or divides by the root mean square alone (``rms``, Zhang & Sennrich 2019). ``gated``
    gives the MLP a third matrix. ``bias`` is that of all matrices, ``attention_bias`` that of attention and
    ``out_bias`` that of its last projection, where they differ. ``window``: how many keys back a query sees,
    itself included.
    """

    dim: int
    heads: int
    mlp_dim: int
    kv_heads: int | None = None
    head_dim: int | None = None
    norm: Literal["post", "pre"] = "post"
    normalizer: Literal["layer", "rms"] = "layer"
    activation: Activation = "relu"
    gated: bool = False
    cross: bool = False
    bias: bool = True
    attention_bias: bool | None = None
    out_bias: bool | None = None
    window: int | None = None
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    eps: float = 1e-5


def normalizer(config: BlockConfig) -> nn.Module:
    """The norm of this kind of block, which a stack also ends with."""
    kind = nn.RMSNorm if config.normalizer == "rms" else nn.LayerNorm
    return kind(config.dim, eps=config.eps)


class MLP(nn.Module):
    """The network that is the same for every position.

    ::

        plain:   W₂ f(W₁ x + b₁) + b₂                 (Vaswani et al. 2017, eq. 2)
        gated:   W₂ (f(W₃ x + b₃) · (W₁ x + b₁)) + b₂ (Shazeer 2020, eq. 6)
    """

    def __init__(self, config: BlockConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.dim, config.mlp_dim, bias=config.bias) if config.gated else None
        self.up = nn.Linear(config.dim, config.mlp_dim, bias=config.bias)
        self.down = nn.Linear(config.mlp_dim, config.dim, bias=config.bias)
        self.joint: Joint | None = None
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = Dropout(config.activation_dropout)

    def forward(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """The network applied to every position."""
        return self.down(self.dropout(self._inner(x)))

    def _inner(self, x: Tensor) -> Tensor:
        if self.joint is not None:
            gate, up = self.joint.apart(x)
            return self.activation(gate) * up
        if self.gate is not None:
            return self.activation(self.gate(x)) * self.up(x)
        return self.activation(self.up(x))

    def pack(self, dtype: torch.dtype, least: int) -> None:
        """Pack the matrices for inference."""
        if self.gate is not None:
            self.joint = pack_together(self, ("gate", "up"), dtype, least)
        pack_each(self, ("gate", "up", "down"), dtype, least)


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
        self.attention_norm = normalizer(config)
        if config.cross:
            self.cross = _attention(config)
            self.cross_norm = normalizer(config)
        self.mlp = MLP(config)
        self.mlp_norm = normalizer(config)
        self.rate = config.dropout
        self.window = config.window
        self.recomputes = False

    def forward(
        self,
        x: Float[Tensor, "batch token dim"],
        mask: Mask,
        *,
        memory: Float[Tensor, "source key dim"] | None = None,
        memory_mask: Mask | None = None,
        cache: Slot | None = None,
        memory_cache: Slot | None = None,
        rotary: Rotary | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """One layer further; where it ``recomputes`` in training, what lies between is not kept."""
        layer = partial(
            self._layer,
            mask=mask,
            memory_mask=memory_mask,
            cache=cache,
            memory_cache=memory_cache,
            rotary=rotary,
        )
        if self.recomputes and self.training and cache is None and torch.is_grad_enabled():
            further: Tensor = checkpoint(layer, x, memory, use_reentrant=False)
            return further
        return layer(x, memory)

    def _layer(
        self,
        x: Tensor,
        memory: Tensor | None,
        *,
        mask: Mask,
        memory_mask: Mask | None,
        cache: Slot | None,
        memory_cache: Slot | None,
        rotary: Rotary | None,
    ) -> Tensor:
        if self.window is not None:
            mask = mask.within(self.window)
        x = self._residual(
            x, self.attention_norm, lambda y: self.attention(y, mask, cache=cache, rotary=rotary)
        )
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

    def pack(self, dtype: torch.dtype, least: int) -> None:
        """Pack all matrices for inference (``nn.packed.Packs``)."""
        self.attention.pack(dtype, least, alone=True)
        if hasattr(self, "cross"):
            self.cross.pack(dtype, least, alone=False)
        self.mlp.pack(dtype, least)

    def _thin(self, x: Tensor) -> Tensor:
        return thin(x, self.rate) if self.training and self.rate > 0 else x


def _attention(config: BlockConfig) -> Attention:
    return Attention(
        config.dim,
        config.heads,
        kv_heads=config.kv_heads,
        head_dim=config.head_dim,
        dropout=config.attention_dropout,
        bias=config.bias if config.attention_bias is None else config.attention_bias,
        out_bias=config.out_bias,
    )
