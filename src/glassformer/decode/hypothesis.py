"""One finished target sequence, and how its length enters its score."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import ParamSpec

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding

NOT_NUMBERS = (
    "the model's scores are not numbers (NaN or infinite): the checkpoint is damaged or its training "
    "diverged; use an earlier one"
)

First = int | Sequence[int] | Tensor
"""The token a row begins with, which is read and not written: one for all rows, or one for each."""

Ends = int | Sequence[int]
"""The token, or one of the tokens, that end a text."""

Over = Callable[[Int[Tensor, "lines length"], Int[Tensor, " lines"]], Bool[Tensor, " lines"]]
"""Whether each text, given with the row it belongs to, ends here for a reason of its own (a stop string)."""

P = ParamSpec("P")

Run = Generator[Int[Tensor, "rows length"], None, "list[list[Hypothesis]]"]
"""A search or a sampling under way: after each step all that is being written, at the end the lists."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One target sequence and what the model thinks of it.

    ``tokens`` begin after the start token; a forced beginning is among them, and the end token closes them
    unless the sequence ran into its length limit. ``logp`` is their summed natural log-probability under the
    model (temperature and filters do not enter), ``score`` the same with the length penalty; beam search
    with a repetition penalty ranks, as ``score``, what that penalty left of it.
    """

    tokens: tuple[int, ...]
    logp: float
    score: float


def normalise(logp: float, length: int, settings: Decoding) -> float:
    """The log-probability of ``length`` tokens with the length penalty: ``logp / penalty(length)``.

    ``penalty(n) = ((5 + n) / 6) ** α`` for ``gnmt`` (Wu et al. 2016, eq. 14), ``n ** α`` for ``power``.
    """
    base = (5 + length) / 6 if settings.length_penalty_form == "gnmt" else length
    return float(logp / max(base, 1) ** settings.length_penalty)


def row_limits(
    max_length: Sequence[int] | int, rows: int, prefix: Sequence[Sequence[int]] | None
) -> list[int]:
    """The largest number of tokens of each row.

    Raises UserError when a limit is not positive or leaves no room for the row's forced beginning.
    """
    limits = [max_length] * rows if isinstance(max_length, int) else list(max_length)
    if len(limits) != rows or (prefix is not None and len(prefix) != rows):
        raise ValueError(f"{rows} rows need {rows} limits and forced beginnings")
    for row, limit in enumerate(limits):
        if limit < 1:
            raise UserError(f"row {row}: the target may have {limit} tokens; at least 1 must be allowed")
        if prefix is not None and len(prefix[row]) > limit:
            raise UserError(
                f"row {row}: the forced beginning has {len(prefix[row])} tokens but the target may have "
                f"only {limit}; raise max_new_tokens or shorten it"
            )
    return limits


def end_tokens(ends: Ends) -> list[int]:
    """The end tokens, each once and in order.

    >>> end_tokens(2), end_tokens((2, 7, 2))
    ([2], [2, 7])
    """
    return [ends] if isinstance(ends, int) else list(dict.fromkeys(ends))


def first_tokens(first: First, rows: int, device: torch.device) -> Int[Tensor, " rows"]:
    """The first token of each row; ValueError when there is another number of them."""
    tokens = torch.as_tensor(first, dtype=torch.long, device=device)
    if tokens.ndim and len(tokens) != rows:
        raise ValueError(f"{rows} rows need {rows} first tokens")
    return tokens.expand(rows).clone()


def exhausted(run: Run) -> list[list[Hypothesis]]:
    """What a run gives at its end."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            lists: list[list[Hypothesis]] = end.value
            return lists


def finished(steps: Callable[P, Run]) -> Callable[P, list[list[Hypothesis]]]:
    """The same without its steps: the function that goes to the end and gives the lists."""

    def run(*args: P.args, **kwargs: P.kwargs) -> list[list[Hypothesis]]:
        return exhausted(steps(*args, **kwargs))

    return run
