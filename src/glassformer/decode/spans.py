"""Answers in a text: the best runs of tokens, by a score of where each begins and one of where it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from glassformer.decode.rank import best


@dataclass(frozen=True)
class Window:
    """What a model said of a part of a text that begins at its token ``begin``.

    ``starts`` and ``ends`` score each token as the first and the last of the answer, ``null`` that the answer
    is not in this part.
    """

    begin: int
    starts: Float[Tensor, " token"]
    ends: Float[Tensor, " token"]
    null: float


@dataclass(frozen=True, slots=True)
class Span:
    """A run of tokens from ``first`` to ``last``, its score and its share of all probability."""

    first: int
    last: int
    score: float
    probability: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best runs of a text, best first, and what speaks for none.

    ``null`` is how much higher that scores than the best run, ``silence`` its share of all probability: 0
    where no answer was no choice. ``silent`` says that none is given: ``null`` is above the threshold.
    """

    spans: tuple[Span, ...]
    null: float
    silence: float
    silent: bool = False


def candidates(
    windows: Sequence[Window], able: Bool[Tensor, " token"], longest: int
) -> Float[Tensor, "token longest"]:
    """The score of every run: of that from token i to token i + d at [i, d], -∞ where there is none.

        score(i, j) = max over windows that hold both of  start(i) + end(j),  i ≤ j < i + longest

    A run begins and ends with a token that is ``able``; windows may overlap (Devlin et al. 2019, §4.2).
    """
    table = torch.full((len(able), longest), -torch.inf)
    for window in windows:
        size = len(window.starts)
        ends = functional.pad(window.ends.float(), (0, longest), value=-torch.inf)
        scores = window.starts.float()[:, None] + ends.unfold(0, longest, 1)[:size]
        part = table[window.begin : window.begin + size]
        torch.maximum(part, scores, out=part)
    possible = able[:, None] & functional.pad(able, (0, longest)).unfold(0, longest, 1)[: len(able)]
    return table.masked_fill(~possible, -torch.inf)


def found(
    windows: Sequence[Window],
    places: tuple[Int[Tensor, " token"], Int[Tensor, " token"]],
    longest: int,
    top_k: int = 1,
    *,
    silent: bool = False,
) -> Found:
    """The ``top_k`` best runs of at most ``longest`` tokens, no two of which stand for the same characters.

    ``places`` are the first character of each token and the one behind its last; a token of no characters
    neither begins nor ends a run. Probabilities are the softmax over all runs; with ``silent`` having no
    answer is one more choice, whose score is its lowest in any window: no window may know one.
    """
    starts, ends = places
    table = candidates(windows, starts < ends, longest)
    null = min((window.null for window in windows), default=0.0)
    real = table[table > -torch.inf].double()
    choices = torch.cat([real, torch.tensor([null], dtype=torch.float64)]) if silent else real
    if not len(real):
        return Found((), torch.inf, float(silent))
    total = choices.logsumexp(0)
    spans = [
        Span(first, last, score, float((torch.tensor(score, dtype=torch.float64) - total).exp()))
        for first, last, score in _distinct(table, starts, ends, min(top_k, len(real)))
    ]
    silence = float((null - total).exp()) if silent else 0.0
    return Found(tuple(spans), null - spans[0].score, silence)


def read(told: Mapping[str, np.ndarray], top_k: int = 1) -> tuple[Found, list[tuple[int, int]]]:
    """What was found by the arrays that ``objectives.span`` tells of a question, and the characters of each.

    Characters are given as the first and the one behind the last, of each of the spans.
    """
    cuts = np.cumsum(told["sizes"])[:-1]
    parts = zip(
        told["begins"].tolist(),
        np.split(told["starts"], cuts),
        np.split(told["ends"], cuts),
        told["nulls"].tolist(),
        strict=True,
    )
    windows = [
        Window(begin, torch.from_numpy(starts), torch.from_numpy(ends), null)
        for begin, starts, ends, null in parts
    ]
    places = torch.from_numpy(told["places"])
    longest, threshold = told["rules"].tolist()
    choice = not math.isnan(threshold)
    best_runs = found(windows, (places[:, 0], places[:, 1]), int(longest), top_k, silent=choice)
    silent = choice and best_runs.null > threshold
    cut = [(int(places[one.first, 0]), int(places[one.last, 1])) for one in best_runs.spans]
    return replace(best_runs, silent=silent), cut


def _distinct(
    table: Float[Tensor, "token longest"],
    starts: Int[Tensor, " token"],
    ends: Int[Tensor, " token"],
    top_k: int,
) -> list[tuple[int, int, float]]:
    """The best runs in falling order, of several for the same characters the first alone."""
    longest, asked = table.shape[1], top_k
    while True:
        asked = min(asked, table.numel())
        scores, order = best(table.reshape(1, -1), asked)
        kept: dict[tuple[int, int], tuple[int, int, float]] = {}
        for score, place in zip(scores[0].tolist(), order[0].tolist(), strict=True):
            first, last = place // longest, place // longest + place % longest
            if score > -torch.inf:
                kept.setdefault((int(starts[first]), int(ends[last])), (first, last, score))
        if len(kept) >= top_k or asked == table.numel():
            return list(kept.values())[:top_k]
        asked *= 4
