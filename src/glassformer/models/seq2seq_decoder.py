"""The decoder of ``models/seq2seq.py``: a recurrence that writes, and what it looks at while it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.align import Align, Score, Sight, Window
from glassformer.nn.cell import STEPS, Cell, State, Weights
from glassformer.nn.dropout import Dropout
from glassformer.nn.recurrent import Recurrence, Recurrent

Next = Callable[[int, Tensor], Tensor]
"""The vectors of the tokens at a place, given the hidden states of the place before."""


@dataclass(frozen=True)
class Parts:
    """What a decoder is made of; ``models.seq2seq.Config`` says what each choice means."""

    cell: Cell
    dim: int
    hidden_dim: int
    depth: int
    memory_dim: int
    attention: Literal["none"] | Score
    looks: Literal["before", "after"]
    window: Window
    reach: int
    every: bool
    input_feeding: bool
    dropout: float


@dataclass(frozen=True)
class Source:
    """What of a source stays the same while its target is written."""

    sight: Sight | None
    context: Float[Tensor, "rows hidden"] | None

    def select(self, rows: Int[Tensor, " chosen"]) -> Source:
        """These rows, in this order."""
        context = None if self.context is None else self.context.index_select(0, rows)
        return Source(None if self.sight is None else self.sight.select(rows), context)


@dataclass(frozen=True)
class Carried:
    """What goes from one token to the next: the states of all layers and, with input feeding, h̃."""

    states: tuple[State, ...]
    fed: Float[Tensor, "rows dim"] | None

    def select(self, rows: Int[Tensor, " chosen"]) -> Carried:
        """These rows, in this order."""
        states = tuple(tuple(part.index_select(0, rows) for part in state) for state in self.states)
        return Carried(states, None if self.fed is None else self.fed.index_select(0, rows))


class Decoder(nn.Module):
    """Hidden states of a target from its token vectors x, for the scores of the next token.

    ::

        looks: before     s' = cell([x; c; a], s)     a = mixture of memory for s       (Bahdanau et al. 2015)
        looks: after      s' = cell([x; c; h̃], s)     a = mixture of memory for s'      (Luong et al. 2015)

        h̃' = tanh(W [s'; c; a; x])

    c is there with ``every``, h̃ among the inputs with ``input_feeding``, and a with attention. The scores
    read x where the cell reads more than x and h̃, as in Cho et al. 2014, eq. 10, and Bahdanau et al. 2015,
    A.2.2. Where they would read s' alone, and it is as wide as x, s' stands for h̃'.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        attends = parts.attention != "none"
        self.before = attends and parts.looks == "before"
        self.constant = parts.dim + parts.every * parts.hidden_dim  # width of what the cell is sure to read
        fed = self.before * parts.memory_dim + parts.input_feeding * parts.dim
        self.recurrence = Recurrence(
            self.constant + fed, parts.hidden_dim, parts.depth, parts.cell, dropout=parts.dropout
        )
        self.cross: Align | None = None
        if parts.attention != "none":
            self.cross = Align(
                parts.attention,
                parts.hidden_dim,
                parts.memory_dim,
                hidden_dim=parts.hidden_dim,
                window=parts.window,
                reach=parts.reach,
            )
        self.reads_x = parts.every or self.before
        width = parts.hidden_dim * (1 + parts.every) + attends * parts.memory_dim + self.reads_x * parts.dim
        alone = not (attends or parts.every) and parts.hidden_dim == parts.dim
        self.readout = None if alone else nn.Linear(width, parts.dim)
        self.dropout = Dropout(parts.dropout)

    @property
    def feeds_back(self) -> bool:
        """Whether a step needs more of the step before than its state."""
        return self.before or self.parts.input_feeding

    def begin(self, states: Sequence[State]) -> Carried:
        """What is carried to the first token."""
        h = states[-1][0]
        fed = h.new_zeros(h.shape[0], self.parts.dim) if self.parts.input_feeding else None
        return Carried(tuple(states), fed)

    def whole(
        self, x: Float[Tensor, "rows token dim"], source: Source, states: Sequence[State]
    ) -> Float[Tensor, "rows token dim"]:
        """All hidden states at once, where nothing is fed back: one call of every layer's fused kernel."""
        h, _ = self.recurrence(self._constant(x, source), states)
        mixed = None if self.cross is None or source.sight is None else self.cross(h, source.sight)
        return self.dropout(self._read(h, mixed, x, source))

    def unrolled(
        self, x: Float[Tensor, "rows token dim"], source: Source, states: Sequence[State]
    ) -> Float[Tensor, "rows token dim"]:
        """All hidden states, one after another; what need not wait for its turn is done at once."""
        steps = _Steps(self, source)
        given, carried = steps.given(x), self.begin(states)
        if self.parts.input_feeding:
            found = []
            for place, (one, token) in enumerate(zip(given.unbind(1), x.unbind(1), strict=True)):
                hidden, carried = steps.step(one, token, carried, place)
                found.append(hidden)
            return self.dropout(torch.stack(found, dim=1))
        tops, mixed = [], []
        for place, one in enumerate(given.unbind(1)):
            after, seen = steps.move(one, carried, place)
            carried = Carried(after, None)
            tops.append(after[-1][0])
            mixed.append(seen)
        seen_all = torch.stack(mixed, dim=1) if self.cross is not None else None  # type: ignore[arg-type]
        return self.dropout(self._read(torch.stack(tops, dim=1), seen_all, x, source))

    def chosen(
        self, tokens: int, following: Next, source: Source, states: Sequence[State]
    ) -> Float[Tensor, "rows token dim"]:
        """Hidden states where each token is chosen by what was written before it (scheduled sampling)."""
        steps, carried = _Steps(self, source), self.begin(states)
        hidden, found = states[-1][0], []
        for place in range(tokens):
            x = following(place, hidden)
            hidden, carried = steps.step(steps.given(x[:, None])[:, 0], x, carried, place)
            hidden = self.dropout(hidden)
            found.append(hidden)
        return torch.stack(found, dim=1)

    def step(
        self, x: Float[Tensor, "rows dim"], source: Source, carried: Carried, place: int
    ) -> tuple[Float[Tensor, "rows dim"], Carried]:
        """The hidden state of one more token of every row, which stands at ``place``."""
        steps = _Steps(self, source)
        return steps.step(steps.given(x[:, None])[:, 0], x, carried, place)

    def _constant(self, x: Tensor, source: Source) -> Tensor:
        if source.context is None:
            return x
        return torch.cat([x, source.context[:, None].expand(-1, x.shape[1], -1)], dim=2)

    def _read(self, h: Tensor, mixed: Tensor | None, x: Tensor, source: Source) -> Tensor:
        """h̃ of one token (rows, dim) or of many (rows, token, dim)."""
        if self.readout is None:
            return h
        read = [h]
        if source.context is not None:
            read.append(source.context if h.ndim == 2 else source.context[:, None].expand_as(h))
        if mixed is not None:
            read.append(mixed)
        if self.reads_x:
            read.append(x)
        return torch.tanh(self.readout(torch.cat(read, dim=-1) if len(read) > 1 else h))


class _Steps:
    """A decoder about to go token by token, its weights laid out so that a step does only what is new."""

    def __init__(self, decoder: Decoder, source: Source) -> None:
        self.decoder, self.source = decoder, source
        self.cell = STEPS[decoder.parts.cell]
        layers = [layer for layer in decoder.recurrence.layers if isinstance(layer, Recurrent)]
        self.layers = [
            Weights(layer.input.weight, layer.input.bias, layer.hidden.weight, layer.candidate)
            for layer in layers
        ]
        first = self.layers[0].input
        self.constant = first[:, : decoder.constant]
        self.fed = first[:, decoder.constant :].t()

    def given(self, x: Tensor) -> Tensor:
        """The share of the first layer's gates that waits for nothing, [rows, token, gates]."""
        return functional.linear(self.decoder._constant(x, self.source), self.constant, self.layers[0].bias)

    def step(self, given: Tensor, x: Tensor, carried: Carried, place: int) -> tuple[Tensor, Carried]:
        after, seen = self.move(given, carried, place)
        hidden = self.decoder._read(after[-1][0], seen, x, self.source)
        return hidden, Carried(after, hidden if self.decoder.parts.input_feeding else None)

    def move(self, given: Tensor, carried: Carried, place: int) -> tuple[tuple[State, ...], Tensor | None]:
        """The states of all layers after one more token, and what was seen for it."""
        before = self.decoder.before
        seen = self._look(carried.states[-1][0], place) if before else None
        fed = [part for part in (seen, carried.fed) if part is not None]
        if fed:
            given = torch.addmm(given, torch.cat(fed, dim=1) if len(fed) > 1 else fed[0], self.fed)
        after: list[State] = []
        for weights, state in zip(self.layers, carried.states, strict=True):
            if after:
                below = self.decoder.recurrence.dropout(after[-1][0])
                given = functional.linear(below, weights.input, weights.bias)
            after.append(self.cell(given, state, weights))
        return tuple(after), seen if before else self._look(after[-1][0], place)

    def _look(self, h: Tensor, place: int) -> Tensor | None:
        cross, sight = self.decoder.cross, self.source.sight
        if cross is None or sight is None:
            return None
        mixed: Tensor = cross(h[:, None], sight, place)
        return mixed[:, 0]
