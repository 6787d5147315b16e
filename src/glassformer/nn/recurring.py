"""Texts being written by a recurrence, one a row: what decoding steps through, whatever the model."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from glassformer.nn.cell import State


@runtime_checkable
class Recurs(Protocol):
    """A recurrence over tokens, with scores of words on top."""

    @property
    def output(self) -> nn.Module:
        """From hidden states to the scores of every word."""
        ...

    def run(
        self,
        tokens: Int[Tensor, "rows token"],
        state: Sequence[State] | None = None,
        *,
        keep: Bool[Tensor, "rows token"] | None = None,
        documents: Int[Tensor, "rows token"] | None = None,
    ) -> tuple[Float[Tensor, "rows token width"], list[State]]:
        """The hidden state of every token, and what every layer carries on after the last of each row."""
        ...


class Recurring:
    """A batch of texts being written (a ``decode.State``): prompts are read, then tokens one after another.

    ``tokens`` are the prompts, padded on the left where ``keep`` is False; a prompt may be empty. What is
    remembered of a text has one size whatever its length, so no place in a text is too late to be read.
    """

    def __init__(
        self,
        model: Recurs,
        tokens: Int[Tensor, "rows width"],
        keep: Bool[Tensor, "rows width"] | None = None,
    ) -> None:
        self.model = model
        self.states: list[State] | None = None
        if tokens.shape[1]:
            _, self.states = model.run(tokens, keep=keep)

    def read(self, tokens: Int[Tensor, "rows width"]) -> Float[Tensor, "rows width vocab"]:
        """Append tokens to every row and give the scores (float32) of what may follow each of them."""
        scores: Tensor = self.model.output(self.take(tokens))
        return scores.float()

    def take(
        self, tokens: Int[Tensor, "rows width"], keep: Bool[Tensor, "rows width"] | None = None
    ) -> Float[Tensor, "rows width dim"]:
        """Append tokens to every row and give their hidden states, on which the model's ``output`` stands.

        Where ``keep`` is False nothing is appended.
        """
        hidden, self.states = self.model.run(tokens, self.states, keep=keep)
        return hidden

    def step(self, tokens: Int[Tensor, " rows"]) -> Float[Tensor, "rows vocab"]:
        """Append one token to every row and give the scores (float32) of what may follow."""
        return self.read(tokens[:, None])[:, 0]

    def select(self, rows: Int[Tensor, " chosen"]) -> None:
        """Keep these rows, in this order."""
        if self.states is not None:
            self.states = [tuple(part.index_select(0, rows) for part in parts) for parts in self.states]

    def fork(self) -> Recurring:
        """A second batch of the same texts, which goes on by itself; no state is ever written to."""
        return copy(self)
