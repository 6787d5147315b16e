"""Attention as its equation says it, a block of queries at a time, with its way back written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from glassformer.nn.dropout import kept
from glassformer.nn.mask import Mask

BLOCK = 128
"""Queries of a block where the future is hidden: what lies after a block is never multiplied."""


def blocked(q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float) -> Tensor:
    """softmax(Q Kᵀ / √d + mask), thinned by dropout, times V.

    ::

        causal, blocks of two:   q0 q1 see k0 k1
                                 q2 q3 see k0 k1 k2 k3            a triangle of blocks, not a square

    Scores become weights in the memory they stand in, and every tensor is laid out for who reads it next.
    """
    mixed: Tensor = _Blocked.apply(q, k, v, mask, dropout)  # type: ignore[no-untyped-call]
    return mixed


def _cuts(mask: Mask, queries: int, keys: int) -> Iterator[tuple[slice, int]]:
    """Blocks of queries, each with how many keys any of them may see; the last block first."""
    if not mask.causal or mask.keep is not None or queries != keys or queries < 2 * BLOCK:
        yield slice(0, queries), keys
        return
    for start in reversed(range(0, queries, BLOCK)):
        stop = min(start + BLOCK, queries)
        yield slice(start, stop), stop


class _Blocked(Function):
    """q is [batch, heads, query, head_dim]; heads that share a key stand below each other in a product."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes arguments by position
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask: Mask, dropout: float
    ) -> Tensor:
        keys, values = _rows(k), _rows(v)
        bias = mask.bias(q.shape[2], k.shape[2], q.dtype, q.device)
        mixed, held = _empty(q, v.shape[3]), []
        ctx.cuts = tuple(_cuts(mask, q.shape[2], k.shape[2]))
        ctx.shared = k.shape[1]
        for chosen, seen in ctx.cuts:
            asking = _folded(q[:, :, chosen], ctx.shared) * q.shape[3] ** -0.5
            scores = asking @ keys[:, :seen].transpose(1, 2)
            if bias is not None:
                _unfolded(scores, q).add_(bias[:, :, chosen if bias.shape[2] > 1 else slice(None), :seen])
            weights = torch.softmax(scores, dim=-1)
            keep = kept(weights, dropout) if dropout > 0 else None
            mixed[:, :, chosen].copy_(_unfolded(_thinned(weights, keep) @ values[:, :seen], q))
            held += [asking, weights, keep]
        ctx.save_for_backward(keys, values, *held)
        return mixed

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        keys, values, *held = ctx.saved_tensors
        slopes = outputs[0]
        by_q = _empty(slopes, keys.shape[2])
        by_keys: list[Tensor] = []
        by_values: list[Tensor] = []
        for at, (chosen, seen) in enumerate(ctx.cuts):
            asking, weights, keep = held[3 * at : 3 * at + 3]
            slope = _folded(slopes[:, :, chosen], ctx.shared)
            _add(by_values, _thinned(weights, keep).transpose(1, 2) @ slope, seen)
            by_weights = _thinned(slope @ values[:, :seen].transpose(1, 2), keep)
            by_scores = torch._softmax_backward_data(by_weights, weights, -1, weights.dtype)
            asked = _unfolded(by_scores @ keys[:, :seen], slopes)
            torch.mul(asked, keys.shape[2] ** -0.5, out=by_q[:, :, chosen])
            _add(by_keys, by_scores.transpose(1, 2) @ asking, seen)
        by_k, by_v = (x.view(len(slopes), ctx.shared, *x.shape[1:]) for x in (*by_keys, *by_values))
        return by_q, by_k, by_v, None, None


def _rows(x: Tensor) -> Tensor:
    """[batch, heads, token, dim] as [batch · heads, token, dim], in one piece."""
    return x.reshape(-1, *x.shape[2:])


def _folded(x: Tensor, shared: int) -> Tensor:
    """[batch, heads, query, dim] as [batch · shared, queries of all heads of one key, dim], in one piece."""
    return x.reshape(x.shape[0] * shared, -1, x.shape[3]).contiguous()


def _unfolded(x: Tensor, like: Tensor) -> Tensor:
    """The way back: [batch, heads, query, dim] with batch and heads of ``like``."""
    return x.view(like.shape[0], like.shape[1], -1, x.shape[-1])


def _empty(like: Tensor, width: int) -> Tensor:
    """[batch, heads, query, width] for what is next: a token's heads lie together, as matrices read them."""
    return like.new_empty(like.shape[0], like.shape[2], like.shape[1], width).transpose(1, 2)


def _thinned(x: Tensor, keep: Tensor | None) -> Tensor:
    return x if keep is None else x * keep


def _add(whole: list[Tensor], part: Tensor, seen: int) -> None:
    """Adds what a block gives to the keys it sees; the first of the blocks sees all."""
    if whole:
        whole[0][:, :seen].add_(part)
    else:
        whole.append(part)
