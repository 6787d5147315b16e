"""Texts being written by a recurrence: rows are picked whole, and nothing needs to have been read."""

from __future__ import annotations

import torch
from tests.models.drawn import drawn

from glassformer.decode.state import State
from glassformer.models.rnn import Config, Model
from glassformer.nn.recurring import Recurring, Recurs

TOKENS = torch.tensor([[5, 6, 7], [8, 9, 10], [11, 12, 13]])


def _model(cell: str = "lstm") -> Model:
    return drawn(Model(Config(cell=cell, dim=6, depth=2, vocab_size=20))).eval()


def test_it_is_a_state_of_a_model_that_recurs() -> None:
    assert isinstance(_model(), Recurs)
    assert isinstance(Recurring(_model(), TOKENS), State)


@torch.no_grad()
def test_rows_are_picked_with_all_that_they_carry() -> None:
    for cell in ("lstm", "gru"):
        model = _model(cell)
        state = Recurring(model, TOKENS)
        state.select(torch.tensor([2, 0, 0]))
        step = state.step(torch.tensor([1, 2, 3]))
        text = torch.cat([TOKENS[[2, 0, 0]], torch.tensor([[1], [2], [3]])], dim=1)
        torch.testing.assert_close(step, model({"tokens": text})[:, -1])


@torch.no_grad()
def test_nothing_read_is_nothing_to_pick() -> None:
    model = _model()
    state = Recurring(model, TOKENS[:, :0])
    state.select(torch.tensor([1, 0]))
    torch.testing.assert_close(state.step(TOKENS[:2, 0]), model({"tokens": TOKENS[:2, :1]})[:, 0])


@torch.no_grad()
def test_padding_on_the_left_is_passed_over() -> None:
    model = _model()
    keep = torch.tensor([[False, True, True], [True, True, True], [False, False, False]])
    state = Recurring(model, TOKENS, keep)
    step = state.step(torch.tensor([1, 2, 3]))
    alone = Recurring(model, TOKENS[:1, 1:])
    torch.testing.assert_close(step[:1], alone.step(torch.tensor([1])))
    torch.testing.assert_close(step[2], model({"tokens": torch.tensor([[3]])})[0, 0])


@torch.no_grad()
def test_a_fork_goes_on_by_itself_and_padding_in_the_middle_is_passed_over() -> None:
    model = _model()
    state = Recurring(model, TOKENS[:2])
    twin = state.fork()
    more = torch.tensor([[1, 2], [3, 0]])
    hidden = twin.take(more, more != 0)
    after = twin.step(torch.tensor([4, 4]))
    torch.testing.assert_close(hidden[1, 0], model.hidden({"tokens": torch.tensor([[8, 9, 10, 3]])})[0, -1])
    torch.testing.assert_close(after[1], model({"tokens": torch.tensor([[8, 9, 10, 3, 4]])})[0, -1])
    torch.testing.assert_close(after[0], model({"tokens": torch.tensor([[5, 6, 7, 1, 2, 4]])})[0, -1])
    text = torch.cat([TOKENS[:2], torch.tensor([[1], [2]])], dim=1)
    torch.testing.assert_close(state.step(torch.tensor([1, 2])), model({"tokens": text})[:, -1])
