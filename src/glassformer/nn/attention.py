"""Attention: the one module every Transformer block is made from, and the kernels that compute it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.cache import Slot
from glassformer.nn.dropout import thin
from glassformer.nn.mask import Mask
from glassformer.nn.rotary import rotate

# Cosine and sine of the angle of every position, [rows or 1, token, head_dim] each (nn/rotary.py).
Rotary = tuple[Tensor, Tensor]
Kernel = Callable[[Tensor, Tensor, Tensor, Mask, float], Tensor]

# Up to this many scores a head, plain products and a softmax are faster on a CPU than the fused kernel where
# the products are fast: in bfloat16, not in plain float32 (docs/decisions/0007-fast-on-a-cpu.md).
EXPLICIT_BELOW = 512 * 512


def weights(q: Tensor, k: Tensor, mask: Mask) -> Float[Tensor, "batch heads query key"]:
    """How much each query looks at each key: softmax(Q Kᵀ / √d + mask); rows sum to one."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    bias = mask.bias(q.shape[2], k.shape[2], q.dtype, q.device)
    return torch.softmax(scores if bias is None else scores + bias, dim=-1)


def explicit(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """Attention as the equation says it: the weights, thinned by dropout, times the values."""
    attended = weights(q, k, mask)
    return (thin(attended, dropout) if dropout > 0 else attended) @ v


def fused(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """The library's fused kernel, which never holds the weights."""
    if q.shape[2] == k.shape[2] and mask.only_causal(k.shape[2]):
        return functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
    bias = mask.bias(q.shape[2], k.shape[2], q.dtype, q.device)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)


def fastest(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """On a CPU ``explicit`` where it is the faster, ``fused`` everywhere else."""
    short = q.shape[2] * k.shape[2] <= EXPLICIT_BELOW
    quick = dropout > 0 or q.dtype != torch.float32 or torch.get_float32_matmul_precision() != "highest"
    plain = q.device.type == "cpu" and short and quick
    return (explicit if plain else fused)(q, k, v, mask, dropout)


KERNELS: dict[str, Kernel] = {"fastest": fastest, "explicit": explicit, "fused": fused}


class Attention(nn.Module):
    """Multi-head attention: each query draws a mixture of values, weighted by how well it matches each key.

        attention(Q, K, V) = softmax(Q Kᵀ / √d + mask) V                (Vaswani et al. 2017, eq. 1)

    Queries come from ``x``; keys and values from ``memory`` when it is given (cross-attention) and from ``x``
    when it is not (self-attention). With ``kv_heads < heads`` several query heads share one key head
    (Ainslie et al. 2023). ``head_dim × heads`` may differ from ``dim``. With ``rotary``, queries and keys are
    turned by the angles of their positions before they meet, and keys are remembered turned. ``bias`` is that
    of all projections, ``out_bias`` that of the last where it differs.

    >>> attend = Attention(dim=8, heads=2)
    >>> attend(torch.zeros(1, 5, 8), Mask(causal=True)).shape
    torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        kv_heads: int | None = None,
        head_dim: int | None = None,
        dropout: float = 0.0,
        bias: bool = True,
        out_bias: bool | None = None,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.kv_heads = kv_heads or heads
        self.head_dim = head_dim or dim // heads
        self.dropout = dropout
        self.q = nn.Linear(dim, self.heads * self.head_dim, bias=bias)
        self.k = nn.Linear(dim, self.kv_heads * self.head_dim, bias=bias)
        self.v = nn.Linear(dim, self.kv_heads * self.head_dim, bias=bias)
        self.out = nn.Linear(self.heads * self.head_dim, dim, bias=bias if out_bias is None else out_bias)
        self.kernel: Kernel = fastest

    def forward(
        self,
        x: Float[Tensor, "batch query dim"],
        mask: Mask,
        *,
        memory: Float[Tensor, "batch key dim"] | None = None,
        cache: Slot | None = None,
        rotary: Rotary | None = None,
    ) -> Float[Tensor, "batch query dim"]:
        """The mixtures. A ``cache`` holds what earlier calls looked at; a memory is read into it once."""
        q = self._split(self.q(x), self.heads)
        if rotary is not None:
            q = rotate(q, *rotary)
        if memory is not None and cache is not None and cache.length:
            k, v = cache.held()
        else:
            k, v = self._project(x if memory is None else memory, cache, rotary)
        if self.kv_heads != self.heads:
            share = self.heads // self.kv_heads
            k, v = k.repeat_interleave(share, dim=1), v.repeat_interleave(share, dim=1)
        mixed = self.kernel(q, k, v, mask, self.dropout if self.training else 0.0)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _project(self, x: Tensor, cache: Slot | None, rotary: Rotary | None) -> tuple[Tensor, Tensor]:
        k, v = self._split(self.k(x), self.kv_heads), self._split(self.v(x), self.kv_heads)
        if rotary is not None:
            k = rotate(k, *rotary)
        return (k, v) if cache is None else cache.extend(k, v)

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(*x.shape[:2], heads, self.head_dim).transpose(1, 2)

    def keeping(self, kept: list[Tensor]) -> Kernel:
        """``explicit``, which also appends its weights to ``kept``, [batch, heads, query, key]."""
        return _keeping(kept)


@runtime_checkable
class Looks(Protocol):
    """A part of a model that mixes what it looks at, by a kernel that can be swapped."""

    kernel: Any

    def keeping(self, kept: list[Tensor]) -> Any:
        """A kernel that gives the same and appends its weights to ``kept``, [batch, heads, query, key]."""
        ...


@contextmanager
def recording(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Swap the kernel of every part of ``model`` that looks for one that keeps its weights in the block.

    Gives a dictionary from the part's name to the weights of each call, [batch, heads, query, key]; a part
    that is called for one query after another has a call for each. The output of the model is what
    ``explicit`` gives.
    """
    kept: dict[str, list[Tensor]] = {}
    found = {name: part for name, part in model.named_modules() if isinstance(part, Looks)}
    before = {name: part.kernel for name, part in found.items()}
    for name, part in found.items():
        part.kernel = part.keeping(kept.setdefault(name, []))
    try:
        yield kept
    finally:
        for name, part in found.items():
            part.kernel = before[name]


def _keeping(kept: list[Tensor]) -> Kernel:
    def kernel(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
        attended = weights(q, k, mask)
        kept.append(attended.detach())
        return (thin(attended, dropout) if dropout > 0 else attended) @ v

    return kernel
