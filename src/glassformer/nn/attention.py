"""Attention: the one module every Transformer block is made from, and the kernels that compute it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.blocked import blocked
from glassformer.nn.cache import Slot
from glassformer.nn.dropout import thin
from glassformer.nn.joint import Joint
from glassformer.nn.mask import Mask
from glassformer.nn.packed import pack_each, pack_together
from glassformer.nn.rotary import rotate

# Cosine and sine of the angle of every position, [rows or 1, token, head_dim] each (nn/rotary.py).
Rotary = tuple[Tensor, Tensor]
Kernel = Callable[[Tensor, Tensor, Tensor, Mask, float], Tensor]

# Up to this many scores a head, plain products and a softmax are faster on a CPU than the fused kernel where
# the products are fast: in bfloat16, not in plain float32 (docs/decisions/0007-fast-on-a-cpu.md).
EXPLICIT_BELOW = 512 * 512


def weights(q: Tensor, k: Tensor, mask: Mask) -> Float[Tensor, "batch heads query key"]:
    """How much each query looks at each key: softmax(Q Kᵀ / √d + mask); rows sum to one."""
    scores = _folded(q * q.shape[-1] ** -0.5, k) @ k.transpose(-1, -2)
    scores = scores.view(*q.shape[:3], k.shape[2])
    bias = mask.bias(q.shape[2], k.shape[2], q.dtype, q.device)
    return torch.softmax(scores if bias is None else scores + bias, dim=-1)


def _folded(x: Tensor, keys: Tensor) -> Float[Tensor, "batch kv_heads rows any"]:
    """Query heads that share a key head become rows of one product with it, and no key is ever copied."""
    share = x.shape[1] // keys.shape[1]
    return x if share == 1 else x.reshape(x.shape[0], keys.shape[1], share * x.shape[2], x.shape[3])


def _mixed(attended: Tensor, v: Tensor) -> Float[Tensor, "batch heads query head_dim"]:
    """The values in the proportions of ``weights``."""
    return (_folded(attended, v) @ v).view(*attended.shape[:3], v.shape[3])


def explicit(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """Attention as the equation says it: the weights, thinned by dropout, times the values."""
    attended = weights(q, k, mask)
    return _mixed(thin(attended, dropout) if dropout > 0 else attended, v)


def widened(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """``explicit`` in float32, whatever the precision: for a single query that is the faster product."""
    return explicit(q.float(), k.float(), v.float(), mask, dropout).to(q.dtype)


def fused(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """The library's fused kernel, which never holds the weights.

    On a GPU none of the library's kernels takes shared keys in float32, and few take them with a mask: there
    each query head is given its own, or the library would hold the weights after all.
    """
    if q.device.type != "cpu" and q.shape[1] != k.shape[1]:
        k, v = (part.repeat_interleave(q.shape[1] // part.shape[1], dim=1) for part in (k, v))
    attend = partial(
        functional.scaled_dot_product_attention,
        q,
        k,
        v,
        dropout_p=dropout,
        enable_gqa=q.shape[1] != k.shape[1],
    )
    if q.shape[2] == k.shape[2] and mask.only_causal(k.shape[2]):
        return attend(is_causal=True)
    return attend(attn_mask=mask.bias(q.shape[2], k.shape[2], q.dtype, q.device))


def fastest(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """On a CPU ``blocked``, ``explicit`` or ``widened`` where faster, ``fused`` everywhere else.

    What is trained takes ``blocked``; what is compiled the plain form, which the compiler can read.
    """
    short = q.shape[2] * k.shape[2] <= EXPLICIT_BELOW
    if q.device.type != "cpu" or not short:
        return fused(q, k, v, mask, dropout)
    if q.shape[2] == 1 and q.dtype == torch.bfloat16:
        return widened(q, k, v, mask, dropout)
    quick = dropout > 0 or q.dtype != torch.float32 or torch.get_float32_matmul_precision() != "highest"
    if quick and torch.is_grad_enabled() and not torch.compiler.is_compiling():
        return blocked(q, k, v, mask, dropout)
    return (explicit if quick else fused)(q, k, v, mask, dropout)


KERNELS: dict[str, Kernel] = {
    "fastest": fastest,
    "explicit": explicit,
    "blocked": blocked,
    "widened": widened,
    "fused": fused,
}


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
        self.joint: Joint | None = None
        self.kernel: Kernel = fastest

    def forward(
        self,
        x: Float[Tensor, "batch query dim"],
        mask: Mask,
        *,
        memory: Float[Tensor, "source key dim"] | None = None,
        cache: Slot | None = None,
        rotary: Rotary | None = None,
    ) -> Float[Tensor, "batch query dim"]:
        """The mixtures. A ``cache`` holds what earlier calls looked at; a memory is read into it once.

        Of a memory with fewer rows than ``x``, each is that of equally many rows of ``x`` side by side.
        """
        rows, queries = x.shape[:2]
        if memory is not None and len(memory) < rows:
            x = x.reshape(len(memory), -1, x.shape[2])
        if memory is not None and cache is not None and cache.length:
            q, (k, v) = self._split(self.q(x), self.heads), cache.held()
        else:
            q, k, v = self._projected(x, memory)
            k = k if rotary is None else rotate(k, *rotary)
            k, v, mask = self._seen(k, v, mask, cache)
        q = q if rotary is None else rotate(q, *rotary)
        mixed = self.kernel(q, k, v, mask, self.dropout if self.training else 0.0)
        return self.out(mixed.transpose(1, 2).reshape(rows, queries, self.heads * self.head_dim))

    def _seen(self, k: Tensor, v: Tensor, mask: Mask, cache: Slot | None) -> tuple[Tensor, Tensor, Mask]:
        """All keys and values that there are, with those that are remembered, and the rule for them."""
        return (k, v, mask) if cache is None else (*cache.extend(k, v), mask)

    def _projected(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values in heads."""
        if self.joint is not None:
            q, k, v = self.joint.apart(x)
        else:
            looked = x if memory is None else memory
            q, k, v = self.q(x), self.k(looked), self.v(looked)
        return self._split(q, self.heads), self._split(k, self.kv_heads), self._split(v, self.kv_heads)

    def pack(self, dtype: torch.dtype, least: int, *, alone: bool) -> None:
        """Pack the projections for inference; ``alone``, it is never given a memory to look at."""
        self.joint = pack_together(self, ("q", "k", "v"), dtype, least) if alone else None
        pack_each(self, ("q", "k", "v", "out"), dtype, least)

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
        return _mixed(thin(attended, dropout) if dropout > 0 else attended, v)

    return kernel
