"""Sampling from a State: temperature, top-k and top-p, with a stream of chance for every row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from glassformer.base.errors import RunError
from glassformer.decode.constrain import Constraints
from glassformer.decode.hypothesis import (
    NOT_NUMBERS,
    Ends,
    First,
    Hypothesis,
    Over,
    Run,
    end_tokens,
    finished,
    first_tokens,
    normalise,
    row_limits,
)
from glassformer.decode.rank import best
from glassformer.decode.settings import Decoding
from glassformer.decode.state import State


def sampling(
    state: State,
    rows: int,
    *,
    bos_id: First,
    eos_id: Ends,
    settings: Decoding,
    max_length: Sequence[int] | int,
    prefix: Sequence[Sequence[int]] | None = None,
    context: Sequence[Sequence[int]] | None = None,
    over: Over | None = None,
    streams: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> Run:
    """A sampling under way: each step gives the draws still running, the end all draws of each row.

    There are ``num_return_sequences`` independent draws for each row of ``state``, in the order they were
    drawn. ``bos_id``, ``eos_id``, ``context`` and ``over`` are those of ``searching``.

    The random numbers of draw ``j`` of a row are a function of ``(settings.seed, streams[row], j)`` alone
    (``streams``: the row's number unless given, for instance its line number), so batch mates change
    nothing. ``logp`` is the model's own, without temperature. A draw with nothing left to choose ends as it
    stands.

    Raises RunError when the model's scores are not numbers, UserError for impossible limits or prefixes.
    """
    device, many = torch.device(device), settings.num_return_sequences
    limits = [limit for limit in row_limits(max_length, rows, prefix) for _ in range(many)]
    ends = torch.tensor(end_tokens(eos_id), device=device)
    constraints = Constraints(settings, eos_id=eos_id, prefix=prefix, context=context, device=device)
    chance = _chance(settings, range(rows) if streams is None else streams, max(limits, default=0))
    numbers = chance.to(device, _precise(device))
    bounds = torch.tensor(limits, device=device)
    draws = _Draws.fresh(len(limits), settings, device)
    if many > 1 and rows:
        with torch.inference_mode():
            state.select(torch.arange(rows, device=device).repeat_interleave(many))
    tokens = first_tokens(bos_id, rows, device).repeat_interleave(many)
    while len(draws.line):
        # Not around the whole: the mode would be on while the caller looks at a step.
        with torch.inference_mode():
            scores = state.step(tokens).float()
            logp = torch.log_softmax(scores, dim=-1)
            broken = logp[:, 0].isnan()
            row = draws.line // many
            weighed = constraints.penalised(scores, logp, draws.written, row)
            weighed = constraints.apply(weighed, draws.written, row)
            tokens = draw(weighed, numbers[draws.line, draws.written.size(1)], settings)
            stuck = weighed.amax(dim=1) == -torch.inf
            draws.append(tokens, logp, stuck)
            ended = stuck | torch.isin(tokens, ends) | (bounds[draws.line] <= draws.written.size(1))
            if over is not None:
                ended = ended | over(draws.written, row)
            stay = draws.collect(broken, ended, stuck)
            if stay is not None:
                tokens = tokens[stay]
                if len(stay):
                    state.select(stay)
        yield draws.written
    return [[draws.finished[row * many + j] for j in range(many)] for row in range(rows)]


sample = finished(sampling)
"""All draws of each row: what ``sampling`` ends with."""


def draw(
    logp: Float[Tensor, "rows vocab"], uniform: Float[Tensor, " rows"], settings: Decoding
) -> Int[Tensor, " rows"]:
    """One token for each row from its narrowed distribution, by inverting the cumulative one at ``uniform``.

    The order is that of Hugging Face: temperature, then top-k, then top-p (Fan et al. 2018; Holtzman et al.
    2020).
    """
    values, ids = logp / settings.temperature, None
    if settings.top_k or settings.top_p < 1.0:
        values, ids = best(values, min(settings.top_k or values.size(1), values.size(1)))
    if settings.top_p < 1.0:
        share = values.softmax(dim=1)
        values = values.masked_fill(share.cumsum(dim=1) - share >= settings.top_p, -torch.inf)
    # A number strictly below the sum: a token of probability zero is never drawn.
    heap = values.to(_precise(values.device)).softmax(dim=1).cumsum(dim=1)
    whole = heap[:, -1:].contiguous()
    mark = uniform.to(heap.dtype).unsqueeze(1) * whole
    mark = torch.minimum(mark, torch.nextafter(whole, torch.zeros_like(whole)))
    index = torch.searchsorted(heap, mark, right=True).clamp(max=values.size(1) - 1)
    return (index if ids is None else ids.gather(1, index)).squeeze(1)


def _precise(device: torch.device) -> torch.dtype:
    """Double precision, where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


@dataclass
class _Draws:
    """The sequences being drawn, one row each, and those that have ended, by their line."""

    settings: Decoding
    line: Int[Tensor, " rows"]
    written: Int[Tensor, "rows length"]
    logp: Float[Tensor, " rows"]
    finished: dict[int, Hypothesis] = field(default_factory=dict)

    @classmethod
    def fresh(cls, rows: int, settings: Decoding, device: torch.device) -> _Draws:
        written = torch.empty(rows, 0, dtype=torch.long, device=device)
        return cls(settings, torch.arange(rows, device=device), written, torch.zeros(rows, device=device))

    def append(
        self, tokens: Int[Tensor, " rows"], logp: Float[Tensor, "rows vocab"], stuck: Bool[Tensor, " rows"]
    ) -> None:
        """Write one token to every row; for a row that is stuck it is none."""
        gained = logp.gather(1, tokens.unsqueeze(1)).squeeze(1)
        self.logp = self.logp + gained.masked_fill(stuck, 0.0)
        self.written = torch.cat((self.written, tokens.unsqueeze(1)), dim=1)

    def collect(
        self, broken: Bool[Tensor, " rows"], ended: Bool[Tensor, " rows"], stuck: Bool[Tensor, " rows"]
    ) -> Int[Tensor, " staying"] | None:
        """Take out the rows that ended; the places of the others, or None while all go on."""
        report = torch.stack((broken, ended, stuck)).tolist()
        if any(report[0]):
            raise RunError(NOT_NUMBERS)
        if not any(report[1]):
            return None
        lines, texts, sums = self.line.tolist(), self.written.tolist(), self.logp.tolist()
        for place, over in enumerate(report[1]):
            if over:
                text = texts[place][:-1] if report[2][place] else texts[place]
                score = normalise(sums[place], len(text), self.settings)
                self.finished[lines[place]] = Hypothesis(tuple(text), sums[place], score)
        stay = torch.tensor([place for place, over in enumerate(report[1]) if not over], dtype=torch.long)
        stay = stay.to(self.line.device)
        self.line, self.written, self.logp = self.line[stay], self.written[stay], self.logp[stay]
        return stay


def _chance(settings: Decoding, streams: Sequence[int], length: int) -> Float[Tensor, "draws length"]:
    """Numbers in [0, 1), one row for every draw of every stream; more length only adds numbers at the end."""
    rows = [
        np.random.Generator(np.random.Philox(np.random.SeedSequence((settings.seed, stream, j)))).random(
            length
        )
        for stream in streams
        for j in range(settings.num_return_sequences)
    ]
    return torch.from_numpy(np.stack(rows) if rows else np.empty((0, length)))
