"""Toy states for the tests of decoding: a table, and a recurrence whose scores depend on the whole prefix."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


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


@cache
def everything(seed: int, limit: int, vocab: int = 6) -> list[tuple[float, tuple[int, ...]]]:
    """Every sequence of a one-row Recurrence (start 1, end 2) with its log-probability, by enumeration.

    Those that do not end have exactly ``limit`` tokens.
    """
    found: list[tuple[float, tuple[int, ...]]] = []
    running: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    state = Recurrence([seed], vocab)
    for length in range(1, limit + 1):
        last = torch.tensor([tokens[-1] if tokens else 1 for _, tokens in running])
        logp = state.step(last).log_softmax(dim=-1).double().tolist()
        longer = [
            (before + gained, (*tokens, token))
            for (before, tokens), row in zip(running, logp, strict=True)
            for token, gained in enumerate(row)
        ]
        ends = [one[1][-1] == 2 or length == limit for one in longer]
        found += [one for one, over in zip(longer, ends, strict=True) if over]
        running = [one for one, over in zip(longer, ends, strict=True) if not over]
        state.select(
            torch.tensor([place // vocab for place, over in enumerate(ends) if not over], dtype=torch.long)
        )
    return found
