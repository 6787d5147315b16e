"""Attention between two recurrences: every score and window against plain loops, and what is recorded."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.nn.align import Align
from glassformer.nn.attention import recording

SCORES = ["additive", "dot", "general", "concat"]
LENGTHS = (7, 1, 4)


def _made(score: Any, **settings: Any) -> Align:
    align = Align(score, 6, 6 if score == "dot" else 10, **({"hidden_dim": 5} | settings))
    with torch.no_grad():
        for weight in align.parameters():
            weight.normal_()
    return align


def _told(align: Align, queries: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    chance = torch.Generator().manual_seed(2)
    width = 6 if align.score == "dot" else 10
    keep = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    memory = torch.randn(len(LENGTHS), max(LENGTHS), width, generator=chance)
    return torch.randn(len(LENGTHS), queries, 6, generator=chance), memory, keep


def _score(align: Align, h: Tensor, m: Tensor) -> float:
    """One score as the papers write it."""
    if align.score == "dot":
        return float(h.dot(m))
    if align.score == "general":
        return float(h @ align.key.weight @ m)
    if align.score == "additive":
        inner = align.query.weight @ h + align.key.weight @ m
    else:
        inner = align.both.weight @ torch.cat([h, m])
    return float(align.match.weight[0] @ inner.tanh())


def _weight(align: Align, h: Tensor, place: int, key: int, last: int) -> float:
    """What the window makes of the softmax's share: nothing, all of it or a part of it."""
    if align.window == "global":
        return 1.0
    if align.window == "monotonic":
        centre = float(min(place, last))
    else:
        centre = last / (1 + math.exp(-float(align.centre.weight[0] @ (align.place.weight @ h).tanh())))
    if abs(key - centre) > align.reach:
        return 0.0
    deviation = align.reach / 2
    far = (key - centre) ** 2 / (2 * deviation**2)
    return math.exp(-far) if align.window == "predictive" else 1.0


def _slowly(align: Align, queries: Tensor, memory: Tensor, start: int = 0) -> tuple[Tensor, Tensor]:
    """Mixtures and weights, number by number."""
    mixtures = torch.zeros(*queries.shape[:2], memory.shape[2])
    weights = torch.zeros(*queries.shape[:2], memory.shape[1])
    for row, length in enumerate(LENGTHS):
        for place, h in enumerate(queries[row]):
            keys = range(length)
            shares = [
                math.exp(_score(align, h, memory[row, key]))
                * _weight(align, h, start + place, key, length - 1)
                for key in keys
            ]
            for key in keys:
                weights[row, place, key] = shares[key] / sum(shares)
                mixtures[row, place] += weights[row, place, key] * memory[row, key]
    return mixtures, weights


@pytest.mark.parametrize("window", ["global", "monotonic", "predictive"])
@pytest.mark.parametrize("score", SCORES)
@torch.no_grad()
def test_mixtures_and_weights_are_those_of_plain_loops(score: str, window: str) -> None:
    align = _made(score, window=window, reach=2)
    queries, memory, keep = _told(align)
    with recording(align) as kept:
        found = align(queries, align.see(memory, keep), start=1)
    mixtures, weights = _slowly(align, queries, memory, start=1)
    torch.testing.assert_close(found, mixtures, rtol=1e-4, atol=1e-5)
    (recorded,) = kept[""]
    assert recorded.shape == (3, 1, 5, 7)
    torch.testing.assert_close(recorded[:, 0], weights, rtol=1e-4, atol=1e-6)
    assert (recorded[:, 0].masked_select(~keep[:, None].expand_as(recorded[:, 0])) == 0).all()
    torch.testing.assert_close(recorded.sum(-1), torch.ones(3, 1, 5))


@pytest.mark.parametrize("window", ["global", "monotonic", "predictive"])
@pytest.mark.parametrize("score", SCORES)
@torch.no_grad()
def test_queries_one_by_one_get_what_they_get_together(score: str, window: str) -> None:
    align = _made(score, window=window, reach=2)
    queries, memory, keep = _told(align)
    sight = align.see(memory, keep)
    together = align(queries, sight)
    for place in range(queries.shape[1]):
        one = align(queries[:, place : place + 1], sight, start=place)
        torch.testing.assert_close(one[:, 0], together[:, place], rtol=1e-5, atol=1e-5)
    rows = torch.tensor([2, 2, 0])
    torch.testing.assert_close(align(queries[rows], sight.select(rows)), together[rows])


@pytest.mark.parametrize("window", ["global", "monotonic"])
@pytest.mark.parametrize("score", SCORES)
def test_gradients_are_those_of_small_steps(score: str, window: str) -> None:
    align = _made(score, window=window, reach=1, hidden_dim=2).double()
    queries, memory, keep = (part[2:, :5] for part in _told(align, queries=2))

    def run(query: Tensor, seen: Tensor, *_: Tensor) -> Tensor:
        found: Tensor = align(query, align.see(seen, keep), start=1)
        return found

    given = [queries.double().requires_grad_(), memory.double().requires_grad_(), *align.parameters()]
    assert torch.autograd.gradcheck(run, given)  # which moves every number where it stands


@torch.no_grad()
def test_concat_is_additive_with_its_matrices_in_one() -> None:
    additive, concat = _made("additive"), _made("concat")
    concat.both.weight.copy_(torch.cat([additive.query.weight, additive.key.weight], dim=1))
    concat.match.weight.copy_(additive.match.weight)
    queries, memory, keep = _told(additive)
    torch.testing.assert_close(
        concat(queries, concat.see(memory, keep)), additive(queries, additive.see(memory, keep))
    )


def _seen(align: Align, queries: int) -> Tensor:
    """Which keys the queries of a row of seven can see, where all match alike."""
    memory, keep = torch.ones(1, 7, 6), torch.ones(1, 7, dtype=torch.bool)
    with recording(align) as kept, torch.no_grad():
        align(torch.ones(1, queries, 6), align.see(memory, keep))
    return kept[""][0][0, 0]


def test_a_monotonic_window_moves_with_the_words_and_stays_at_the_end() -> None:
    seen = _seen(Align("dot", 6, 6, window="monotonic", reach=1), 9) > 0
    told = ["".join("x" if one else "." for one in row) for row in seen.tolist()]
    assert told == [
        "xx.....", "xxx....", ".xxx...", "..xxx..", "...xxx.", "....xxx", ".....xx", ".....xx", ".....xx",
    ]  # fmt: skip


def test_a_predicted_window_is_a_bell_around_its_centre() -> None:
    align = Align("dot", 6, 6, window="predictive", reach=4)
    torch.nn.init.zeros_(align.centre.weight)  # sigmoid(0) is the middle
    (weights,) = _seen(align, 1)
    bell = torch.tensor([math.exp(-(away**2) / (2 * 2**2)) for away in (3, 2, 1, 0, 1, 2, 3)])
    torch.testing.assert_close(weights, bell / bell.sum())


@pytest.mark.parametrize("window", ["monotonic", "predictive"])
def test_the_lowest_numbers_stay_numbers_in_bfloat16_and_gradients_reach_everything(window: str) -> None:
    for score in SCORES:
        align = _made(score, window=window, reach=2)
        queries, memory, keep = _told(align)
        memory.requires_grad_()
        align(queries, align.see(memory, keep)).square().sum().backward()
        assert (memory.grad[~keep] == 0).all()
        for name, weight in align.named_parameters():
            assert weight.grad.abs().max() > 0, name
        low = align.bfloat16()
        found = low(queries.bfloat16(), low.see(memory.bfloat16(), keep))
        assert found.dtype == torch.bfloat16
        assert found.isfinite().all()


def test_a_source_of_padding_alone_gives_an_even_mixture() -> None:
    align = _made("general")
    queries, memory, keep = _told(align)
    with torch.no_grad():
        found = align(queries, align.see(memory, torch.zeros_like(keep)))
    torch.testing.assert_close(found, memory.mean(1, keepdim=True).expand_as(found))


def test_dot_refuses_states_of_two_sizes() -> None:
    with pytest.raises(ValueError, match="dot compares states of one size, not of 6 and 10"):
        Align("dot", 6, 10)
