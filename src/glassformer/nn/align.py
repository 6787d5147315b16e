"""Attention between two recurrences: what a decoder's state looks at of all that an encoder has read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

Score = Literal["additive", "dot", "general", "concat"]
Window = Literal["global", "monotonic", "predictive"]
Kernel = Callable[[Tensor, Tensor], Tensor]


def mixture(
    scores: Float[Tensor, "rows query key"], values: Float[Tensor, "rows key dim"]
) -> Float[Tensor, "rows query dim"]:
    """The values, weighted by the softmax of the scores."""
    return torch.softmax(scores, dim=-1) @ values


@dataclass(frozen=True)
class Sight:
    """What can be looked at, made ready once for all queries.

    ``values`` are mixed, ``keys`` are compared with. ``bias`` is the lowest number of its type on padding and
    zero elsewhere; ``last`` is the place of each row's last key that is no padding.
    """

    values: Float[Tensor, "rows key dim"]
    keys: Float[Tensor, "rows key width"]
    bias: Float[Tensor, "rows 1 key"]
    last: Float[Tensor, "rows 1 1"]

    def select(self, rows: Int[Tensor, " chosen"]) -> Sight:
        """These rows, in this order."""
        parts = (self.values, self.keys, self.bias, self.last)
        return Sight(*(part.index_select(0, rows) for part in parts))


class Align(nn.Module):
    """How well each state of a decoder (h) matches each of an encoder (m), and the mixture of the latter.

    ========  ==================  ===================================================
    additive  vᵀ tanh(W h + U m)  Bahdanau et al. 2015, appendix A.1.2
    dot       hᵀ m                Luong et al. 2015, eq. 8; both of one size
    general   hᵀ W m              there
    concat    vᵀ tanh(W [h; m])   there; ``additive`` with its matrices in one
    ========  ==================  ===================================================

    The weights are the softmax of the scores over all keys (``window: global``), or over those at most
    ``reach`` places from a centre (Luong et al. 2015, §3.2; places count from 0)::

        monotonic     centre t, where t is the query's own place, but never beyond the last key
        predictive    centre L · sigmoid(vᵀ tanh(W h)), where L is the place of the last key; the
                      weights are those of a normal curve of deviation reach/2 around it, times the softmax

    The product of the two is made to sum to one again, unlike Luong's, so that every mixture is a mean.

    >>> align = Align("general", query_dim=8, memory_dim=6)
    >>> memory, keep = torch.zeros(1, 5, 6), torch.ones(1, 5, dtype=torch.bool)
    >>> align(torch.zeros(1, 3, 8), align.see(memory, keep)).shape
    torch.Size([1, 3, 6])
    """

    def __init__(
        self,
        score: Score,
        query_dim: int,
        memory_dim: int,
        *,
        hidden_dim: int | None = None,
        window: Window = "global",
        reach: int = 10,
    ) -> None:
        super().__init__()
        if score == "dot" and query_dim != memory_dim:
            raise ValueError(f"dot compares states of one size, not of {query_dim} and {memory_dim}")
        self.score, self.window, self.reach = score, window, reach
        self.query_dim = query_dim
        width = hidden_dim or query_dim
        if score == "general":
            self.key = nn.Linear(memory_dim, query_dim, bias=False)
        if score == "additive":
            self.query = nn.Linear(query_dim, width, bias=False)
            self.key = nn.Linear(memory_dim, width, bias=False)
        if score == "concat":
            self.both = nn.Linear(query_dim + memory_dim, width, bias=False)
        if score in ("additive", "concat"):
            self.match = nn.Linear(width, 1, bias=False)
        if window == "predictive":
            self.place = nn.Linear(query_dim, width, bias=False)
            self.centre = nn.Linear(width, 1, bias=False)
        self.kernel: Kernel = mixture

    def see(self, memory: Float[Tensor, "rows key dim"], keep: Bool[Tensor, "rows key"]) -> Sight:
        """What the encoder read, with the part of the scores that is the same for every query."""
        bias = torch.zeros(keep.shape, dtype=memory.dtype, device=memory.device)
        bias = bias.masked_fill_(~keep, torch.finfo(memory.dtype).min)
        last = (torch.arange(keep.shape[1], device=keep.device) * keep).amax(1)
        return Sight(memory, self._keys(memory), bias[:, None], last.float()[:, None, None])

    def forward(
        self, query: Float[Tensor, "rows query dim"], sight: Sight, start: int = 0
    ) -> Float[Tensor, "rows query memory"]:
        """The mixtures for queries of which the first stands at place ``start``."""
        scores = self.scores(query, sight)
        if self.window != "global":
            scores = self._near(scores, query, sight, start)
        return self.kernel(scores, sight.values)

    def scores(self, query: Float[Tensor, "rows query dim"], sight: Sight) -> Float[Tensor, "rows query key"]:
        """How well every query matches every key, before any window; the lowest number on padding."""
        if self.score in ("dot", "general"):
            return torch.baddbmm(sight.bias, query, sight.keys.transpose(1, 2))
        asked = self.query(query) if self.score == "additive" else self._half(query, slice(self.query_dim))
        # In place, since only the result is kept for the way back.
        met = (asked[:, :, None] + sight.keys[:, None]).tanh_()
        return self.match(met).squeeze(3) + sight.bias

    def keeping(self, kept: list[Tensor]) -> Kernel:
        """The kernel, which also appends its weights to ``kept``, [rows, 1, query, key]."""

        def kernel(scores: Tensor, values: Tensor) -> Tensor:
            attended = torch.softmax(scores, dim=-1)
            kept.append(attended.detach()[:, None])
            return attended @ values

        return kernel

    def _keys(self, memory: Tensor) -> Tensor:
        if self.score == "dot":
            return memory
        if self.score == "concat":
            return self._half(memory, slice(self.query_dim, None))
        keys: Tensor = self.key(memory)
        return keys

    def _half(self, x: Tensor, columns: slice) -> Tensor:
        return functional.linear(x, self.both.weight[:, columns])

    def _near(self, scores: Tensor, query: Tensor, sight: Sight, start: int) -> Tensor:
        """The scores with those out of reach at the lowest number, in the wide type: places are large."""
        key = torch.arange(scores.shape[2], dtype=torch.float32, device=scores.device)
        if self.window == "monotonic":
            here = torch.arange(start, start + scores.shape[1], dtype=torch.float32, device=scores.device)
            centre = torch.minimum(here[None, :, None], sight.last)
        else:
            centre = sight.last * torch.sigmoid(self.centre(torch.tanh(self.place(query))).float())
        away = key - centre
        if self.window == "predictive":
            scores = scores - (away.square() * (2 / self.reach**2)).to(scores.dtype)
        return scores.masked_fill(away.abs() > self.reach, torch.finfo(scores.dtype).min)
