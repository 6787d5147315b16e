"""Tokens to vectors and vectors to scores: the two faces of the vocabulary."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.dropout import Dropout
from glassformer.nn.joint import Joint
from glassformer.nn.packed import packed
from glassformer.nn.position import Positions


class Embedding(nn.Module):
    """Token vectors, scaled, plus position vectors, thinned by dropout (Vaswani et al. 2017, §3.4, §5.4).

    The table of token vectors is passed in, since source, target and output may share it.
    """

    def __init__(self, table: nn.Embedding, positions: Positions, *, scale: float, dropout: float) -> None:
        super().__init__()
        self.table = table
        self.positions = positions
        self.scale = scale
        self.dropout = Dropout(dropout)

    def forward(
        self, tokens: Int[Tensor, "batch token"], start: int | Int[Tensor, "batch token"] = 0
    ) -> Float[Tensor, "batch token dim"]:
        """The vectors of ``tokens``, the first at position ``start``, or each at a position of its own."""
        vectors = self.table(tokens)
        if self.scale != 1:
            vectors = vectors * self.scale
        return self.dropout(vectors + self.positions(start, tokens.shape[1]).to(vectors.dtype))


class Output(nn.Module):
    """Scores of every word of the vocabulary, W h + b; W may be the token vectors (Press & Wolf 2017)."""

    def __init__(self, weight: nn.Parameter, *, bias: bool) -> None:
        super().__init__()
        self.weight = weight
        self.bias = nn.Parameter(weight.new_zeros(weight.shape[0])) if bias else None
        self.packed: Joint | None = None
        self.layout: torch.dtype | None = None

    def forward(self, hidden: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows vocab"]:
        """Scores before softmax."""
        if self.packed is not None:
            scores: Tensor = self.packed(hidden)
            return scores
        return functional.linear(hidden, self.weight, self.bias)

    def only(self, tokens: Int[Tensor, " chosen"]) -> Output:
        """The scores of these words alone, in this order; packed where the whole is."""
        bias = self.bias is not None
        part = Output(nn.Parameter(self.weight.detach()[tokens]), bias=bias)
        if self.bias is not None:
            part.bias = nn.Parameter(self.bias.detach()[tokens])
        if self.layout is not None:
            part.pack(self.layout, 0)
        return part

    def pack(self, dtype: torch.dtype, least: int) -> None:
        """Pack the matrix for inference (``nn.packed.Packs``); it also stays as it is, for the embedding."""
        self.packed = packed([self], dtype, least)
        self.layout = None if self.packed is None else dtype
