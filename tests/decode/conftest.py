"""Toy states: a table, and a recurrence whose scores depend on the whole prefix."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from glassformer.decode.hypothesis import normalise
from glassformer.decode.settings import Decoding


class Table:
    """Scores depend on the row and the last token only: ``table[row, token]``."""

    def __init__(self, table: Tensor) -> None:
        self.table = table
        self.widths: list[int] = []

    def step(self, tokens: Tensor) -> Tensor:
        self.widths.append(len(tokens))
        return self.table[torch.arange(len(tokens)), tokens]

    def select(self, rows: Tensor) -> None:
        self.table = self.table[rows]


class Recurrence:
    """A random recurrence; each row starts from its own number, elementwise so that rows cannot mix."""

    def __init__(self, seeds: list[int], vocab: int = 6, dim: int = 8, sharpness: float = 2.0) -> None:
        chance = torch.Generator().manual_seed(0)
        self.mix = torch.randn(dim, dim, generator=chance)
        self.embed = torch.randn(vocab, dim, generator=chance)
        self.out = sharpness * torch.randn(dim, vocab, generator=chance)
        starts = [torch.randn(dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        self.hidden = torch.stack(starts) if starts else torch.empty(0, dim)
        self.widths: list[int] = []

    def step(self, tokens: Tensor) -> Tensor:
        self.widths.append(len(tokens))
        mixed = (self.hidden.unsqueeze(2) * self.mix).sum(dim=1)
        self.hidden = torch.tanh(mixed + self.embed[tokens])
        return (self.hidden.unsqueeze(2) * self.out).sum(dim=1)

    def select(self, rows: Tensor) -> None:
        self.hidden = self.hidden[rows]


def everything(
    seed: int, limit: int, settings: Decoding, vocab: int = 6
) -> Iterator[tuple[float, float, tuple[int, ...]]]:
    """Every sequence of a one-row Recurrence (start 1, end 2) with its score and log-probability."""
    others = [token for token in range(vocab) if token != 2]
    for length in range(limit):
        for body in itertools.product(others, repeat=length):
            yield _scored(seed, (*body, 2), settings, vocab)
    for body in itertools.product(others, repeat=limit):
        yield _scored(seed, body, settings, vocab)


def _scored(
    seed: int, tokens: tuple[int, ...], settings: Decoding, vocab: int
) -> tuple[float, float, tuple[int, ...]]:
    state = Recurrence([seed], vocab)
    logp, last = 0.0, 1
    for token in tokens:
        logp += state.step(torch.tensor([last])).log_softmax(dim=-1)[0, token].item()
        last = token
    return normalise(logp, len(tokens), settings), logp, tokens
