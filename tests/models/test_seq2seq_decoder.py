"""The decoder: at once, token by token and step by step are one function; what it carries can be picked."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.models.seq2seq_decoder import Carried, Decoder, Parts, Source

PARTS = {
    "cell": "lstm",
    "dim": 6,
    "hidden_dim": 5,
    "depth": 2,
    "memory_dim": 8,
    "attention": "additive",
    "looks": "after",
    "window": "global",
    "reach": 2,
    "every": False,
    "input_feeding": False,
    "dropout": 0.0,
}
FORWARD = [{}, {"attention": "none"}, {"every": True, "cell": "gru"}, {"window": "monotonic", "cell": "rnn"}]
FED = [
    {"looks": "before"},
    {"input_feeding": True},
    {"looks": "before", "input_feeding": True, "cell": "gru", "every": True},
]


def _made(settings: dict[str, Any]) -> tuple[Decoder, Tensor, Source, Any]:
    torch.manual_seed(4)
    parts = Parts(**(PARTS | settings))
    decoder = Decoder(parts)
    memory, keep = torch.randn(3, 4, 8), torch.arange(4) < torch.tensor([[4], [1], [3]])
    sight = None if decoder.cross is None else decoder.cross.see(memory, keep)
    states = [(torch.randn(3, 5),) * (2 if parts.cell == "lstm" else 1) for _ in range(parts.depth)]
    source = Source(sight, states[-1][0] if parts.every else None)
    return decoder, torch.randn(3, 7, 6, requires_grad=True), source, states


def _learned(decoder: Decoder, hidden: Tensor, x: Tensor) -> list[Tensor]:
    decoder.zero_grad()
    x.grad = None
    hidden.square().sum().backward()
    return [hidden.detach(), x.grad.clone(), *(weight.grad.clone() for weight in decoder.parameters())]


@pytest.mark.parametrize("settings", FORWARD)
def test_at_once_and_token_by_token_are_the_same_and_learn_the_same(settings: dict[str, Any]) -> None:
    decoder, x, source, states = _made(settings)
    assert not decoder.feeds_back
    ways = []
    for run in (
        lambda x, source: decoder.whole(x, source, states),
        lambda x, source: decoder.unrolled(x, source, states),
        lambda x, source: decoder.chosen(7, lambda place, hidden: x[:, place], source, states),
    ):
        _, _, fresh, _ = _made(settings)
        sight = None
        if decoder.cross is not None and fresh.sight is not None:
            sight = decoder.cross.see(fresh.sight.values, torch.arange(4) < torch.tensor([[4], [1], [3]]))
        ways.append(_learned(decoder, run(x, Source(sight, source.context)), x))
    for other in ways[1:]:
        for one, two in zip(ways[0], other, strict=True):
            torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [*FORWARD, *FED])
@torch.no_grad()
def test_steps_of_decoding_give_the_hidden_states_of_the_whole(settings: dict[str, Any]) -> None:
    decoder, x, source, states = _made(settings)
    whole = (decoder.unrolled if decoder.feeds_back else decoder.whole)(x, source, states)
    carried = decoder.begin(states)
    for place in range(4):
        hidden, carried = decoder.step(x[:, place], source, carried, place)
        torch.testing.assert_close(hidden, whole[:, place], rtol=0, atol=1e-5)
    rows = torch.tensor([2, 2, 0])
    hidden, after = decoder.step(x[rows, 4], source.select(rows), carried.select(rows), 4)
    torch.testing.assert_close(hidden, whole[rows, 4], rtol=0, atol=1e-5)
    assert isinstance(after, Carried)
    assert (after.fed is not None) == decoder.parts.input_feeding


@torch.no_grad()
def test_what_was_seen_and_written_is_fed_to_the_next_step() -> None:
    for settings in FED:
        decoder, x, source, states = _made(settings)
        assert decoder.feeds_back
        before = decoder.unrolled(x, source, states)
        first = decoder.recurrence.layers[0].input.weight
        first[:, decoder.constant :] = 0
        after = decoder.unrolled(x, source, states)
        assert not torch.allclose(after[:, 1:], before[:, 1:], atol=1e-3)
    # Nothing has been written before the first word, so only what was seen can be missed there.
    decoder, x, source, states = _made({"input_feeding": True})
    before = decoder.unrolled(x, source, states)
    decoder.recurrence.layers[0].input.weight[:, decoder.constant :] = 0
    torch.testing.assert_close(decoder.unrolled(x, source, states)[:, 0], before[:, 0])


def test_a_state_as_wide_as_the_words_and_alone_is_the_hidden_state() -> None:
    assert Decoder(Parts(**(PARTS | {"attention": "none", "hidden_dim": 6}))).readout is None
    # 5 + 1 of another kind would be as wide as the words by chance alone.
    chance = PARTS | {"hidden_dim": 5, "memory_dim": 1}
    assert Decoder(Parts(**chance)).readout is not None
