"""Texts being written by a causal stack, one a row: what decoding steps through, whatever the model."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from glassformer.nn.cache import Fixed, Growing, Slot, move
from glassformer.nn.mask import Mask
from glassformer.nn.order import Order
from glassformer.nn.position import counted, fits


@runtime_checkable
class Causal(Protocol):
    """A stack of blocks in which the future does not change the past, with scores of words on top."""

    @property
    def blocks(self) -> nn.ModuleList:
        """The layers, of which each wants a memory of its own."""
        ...

    @property
    def output(self) -> nn.Module:
        """From hidden states to the scores of every word."""
        ...

    def run(
        self,
        tokens: Int[Tensor, "rows token"],
        mask: Mask,
        positions: int | Int[Tensor, "rows token"],
        slots: Sequence[Slot] | None = None,
    ) -> Float[Tensor, "rows token dim"]:
        """The last hidden state of every token, after all that ``slots`` remember.

        ``positions`` is that of the first token where all rows agree, and that of every token otherwise.
        """
        ...


class Writing:
    """A batch of texts being written (a ``decode.State``): prompts are read, then tokens one after another.

    ``tokens`` are the prompts, padded on the left where ``keep`` is False; a prompt may be empty. No scores
    are made for them. ``fixed`` is the number of tokens that memories of fixed size hold, padding included;
    without it they grow.

    ::

        padding 2      . . a b c | d e      position of b: 1, of d: 3
        padding 0      p q r s t | u v      position of q: 1, of u: 5
                       prompt      read, step
    """

    def __init__(
        self,
        model: Causal,
        tokens: Int[Tensor, "rows width"],
        keep: Bool[Tensor, "rows width"] | None = None,
        *,
        max_length: int,
        fixed: int | None = None,
    ) -> None:
        self.model = model
        self.max_length = max_length
        self.length = 0
        self.order = Order(len(tokens))
        self.keep: Tensor | None = None  # in the order of places, as what the slots hold
        self.slots: list[Slot] = [Growing() if fixed is None else Fixed(fixed) for _ in model.blocks]
        if keep is not None and bool((keep[:, 1:] < keep[:, :-1]).any()):
            raise ValueError("prompts of unlike length are padded on their left")
        if tokens.shape[1]:
            self.take(tokens, keep)

    def read(self, tokens: Int[Tensor, "rows width"]) -> Float[Tensor, "rows width vocab"]:
        """Append tokens to every row and give the scores (float32) of what may follow each of them.

        Raises UserError when a text becomes longer than the model reads.
        """
        scores: Tensor = self.model.output(self.take(tokens))
        return scores.float()

    def take(
        self, tokens: Int[Tensor, "rows width"], keep: Bool[Tensor, "rows width"] | None = None
    ) -> Float[Tensor, "rows width dim"]:
        """Append tokens to every row and give their hidden states, on which the model's ``output`` stands.

        Where ``keep`` is False stands padding, which no token looks at and which counts for no position.
        Raises UserError when a text becomes longer than the model reads.
        """
        start, self.length = self.length, self.length + tokens.shape[1]
        tokens = self.order.placed(tokens)
        self.keep = self._kept(tokens, None if keep is None else self.order.placed(keep))
        self._fits()
        if self.keep is None:
            return self.order.listed(self.model.run(tokens, Mask(causal=True), start, self.slots))
        mask, positions = Mask(causal=True, keep=self.keep), counted(self.keep)[:, start:]
        return self.order.listed(self.model.run(tokens, mask, positions, self.slots))

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores (float32) of what may follow."""
        return self.read(tokens[:, None])[:, 0]

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        moves = self.order.moves(rows)
        if moves is None:
            rows = self.order.restart(rows)
            for slot in self.slots:
                slot.select(rows)
            self.keep = None if self.keep is None else self.keep.index_select(0, rows)
        elif moves:
            for slot in self.slots:
                slot.move(moves)
            if self.keep is not None:
                self.keep = self.keep.clone()  # a fork may hold the same
                move(self.keep, moves)

    def fork(self) -> Writing:
        """A second batch of the same texts, which goes on by itself."""
        twin = copy(self)
        twin.order = self.order.fork()
        twin.slots = [slot.fork() for slot in self.slots]
        return twin

    def _kept(self, tokens: Tensor, keep: Tensor | None) -> Tensor | None:
        """Which of all places hold tokens; None where all do."""
        keep = None if keep is None or bool(keep.all()) else keep
        if self.keep is None and keep is None:
            return None
        rows, width = tokens.shape
        before = (
            tokens.new_ones(rows, self.length - width, dtype=torch.bool) if self.keep is None else self.keep
        )
        now = tokens.new_ones(rows, width, dtype=torch.bool) if keep is None else keep
        return torch.cat([before, now], dim=1)

    def _fits(self) -> None:
        # Rows of padding alone are shorter than the rest; the device is asked only when that could matter.
        longest = self.length
        if longest > self.max_length and self.keep is not None and len(self.keep):
            longest = int(self.keep.sum(dim=1).max())
        fits(longest, self.max_length)
