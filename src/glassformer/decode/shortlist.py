"""Translating with a part of the vocabulary: what the tokens of a source are likely to become."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.state import State


@runtime_checkable
class Narrows(State, Protocol):
    """A state that can score some tokens alone, which is quicker than to score all."""

    def narrow(self, tokens: Int[Tensor, " chosen"]) -> None:
        """Give scores of these tokens only from now on, in this order."""
        ...


@dataclass(frozen=True)
class Shortlist:
    """The target tokens that each source token brings into question (Jean et al. 2015, §3.3).

    ``likely`` has those of every source token, −1 where there are fewer; ``always`` those of every sentence,
    the end token among them; ``size`` is the size of the target vocabulary.
    """

    likely: Int[Tensor, "source_vocab most"]
    always: Int[Tensor, " frequent"]
    size: int

    def allowed(
        self, source: Int[Tensor, "rows source"], keep: Bool[Tensor, "rows source"]
    ) -> Bool[Tensor, "rows vocab"]:
        """Which tokens may stand in the translation of each source (``keep`` is False on padding)."""
        found = self.likely.to(source.device)[source].masked_fill(~keep.unsqueeze(2), -1).flatten(1).long()
        # What is not there is marked in a column of its own, which is then left off.
        allowed = torch.zeros(len(source), self.size + 1, dtype=torch.bool, device=source.device)
        allowed.scatter_(1, torch.where(found < 0, self.size, found), True)
        allowed[:, self.always.to(source.device).long()] = True
        return allowed[:, : self.size]

    def narrowed(
        self,
        state: State,
        source: Int[Tensor, "rows source"],
        keep: Bool[Tensor, "rows source"],
        forced: Iterable[Iterable[int]] = (),
    ) -> State:
        """The state of these sources with the scores of all other tokens −∞; ``forced`` tokens stay as well.

        Every row has its own list, so nothing of one depends on another. Raises UserError for a state that
        scores all of its tokens at once.
        """
        if not isinstance(state, Narrows):
            raise UserError("this model scores its whole vocabulary at once; leave the shortlist away")
        allowed = self.allowed(source, keep)
        for row, tokens in enumerate(forced):
            allowed[row, list(tokens)] = True
        return _Narrowed(state, allowed)


class _Narrowed:
    """A state whose other scores are −∞: the model computes those of the tokens that any row allows."""

    def __init__(self, state: Narrows, allowed: Bool[Tensor, "rows vocab"]) -> None:
        self.state = state
        self.size = allowed.size(1)
        tokens = allowed.any(dim=0).nonzero().squeeze(1)
        # Many sources together may want most words; then all are scored, for which the weights lie ready.
        self.tokens = tokens if 2 * len(tokens) < self.size else None
        self.refused = ~allowed
        if self.tokens is not None:
            self.refused = ~allowed[:, self.tokens]
            state.narrow(self.tokens)

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores of what may follow."""
        scores = self.state.step(tokens).masked_fill(self.refused, -torch.inf)
        if self.tokens is None:
            return scores
        whole = scores.new_full((len(scores), self.size), -torch.inf)
        whole[:, self.tokens] = scores
        return whole

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        self.state.select(rows)
        self.refused = self.refused.index_select(0, rows)
