"""Stacks of recurrent layers: padding and other documents change nothing, and a state goes on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.nn.cell import Cell
from glassformer.nn.recurrent import Recurrence, reverse

CELLS: list[Cell] = ["lstm", "gru", "rnn"]
CLOSE = {"rtol": 0.0, "atol": 1e-6}
BOTH = pytest.mark.parametrize("both", [False, True], ids=["forward", "both"])
KEEPS = [
    pytest.param([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], id="right"),
    pytest.param([[0, 0, 1, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]], id="left"),
    pytest.param([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 0]], id="anywhere"),
]


def _stack(cell: Cell = "lstm", *, both: bool = False, dropout: float = 0.0) -> Recurrence:
    torch.manual_seed(3)
    return Recurrence(5, 4, 2, cell, both=both, dropout=dropout)


def _begun(stack: Recurrence, cell: str, rows: int) -> list[tuple[Tensor, ...]]:
    parts = 2 if cell == "lstm" else 1
    return [tuple(torch.randn(rows, stack.width) for _ in range(parts)) for _ in stack.layers]


def _rows(states: list[tuple[Tensor, ...]], row: int) -> list[tuple[Tensor, ...]]:
    return [tuple(part[row : row + 1] for part in parts) for parts in states]


@BOTH
@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("cell", CELLS)
def test_padding_on_either_side_changes_nothing(cell: Cell, keep: Any, both: bool) -> None:
    stack, kept = _stack(cell, both=both), torch.tensor(keep).bool()
    x = torch.randn(3, 5, 5)
    x[~kept] = 9.0
    begun = _begun(stack, cell, 3)
    out, after = stack(x, begun, keep=kept)
    assert torch.equal(out[~kept], torch.zeros_like(out[~kept]))
    for row in range(3):
        wanted, last = stack(x[row : row + 1, kept[row]], _rows(begun, row))
        torch.testing.assert_close(out[row, kept[row]], wanted[0], **CLOSE)
        torch.testing.assert_close(_rows(after, row), last, **CLOSE)


@BOTH
def test_rows_without_padding_are_not_cut(both: bool) -> None:
    stack, x = _stack(both=both), torch.randn(3, 5, 5)
    out, after = stack(x, keep=torch.ones(3, 5).bool())
    wanted, last = stack(x)
    assert torch.equal(out, wanted)
    assert all(
        torch.equal(*pair)
        for one, other in zip(after, last, strict=True)
        for pair in zip(one, other, strict=True)
    )


@BOTH
@pytest.mark.parametrize("cell", CELLS)
def test_each_document_of_a_row_begins_anew(cell: Cell, both: bool) -> None:
    stack, x = _stack(cell, both=both), torch.randn(3, 6, 5)
    documents = torch.tensor([[0, 0, 0, 1, 1, 2], [4, 4, 4, 4, 4, 4], [5, 6, 6, 6, 6, 6]])
    keep = torch.tensor([[0, 1, 1, 1, 0, 1], [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]).bool()
    out, _ = stack(x, documents=documents, keep=keep)
    alone = ((0, [1, 2]), (0, [3]), (0, [5]), (1, [0, 1, 2, 3, 4]), (2, [0]), (2, [1, 2, 3, 4, 5]))
    for row, cells in alone:
        torch.testing.assert_close(out[row, cells], stack(x[row : row + 1, cells])[0][0], **CLOSE)


def test_a_state_is_that_of_the_last_document_and_begins_the_first() -> None:
    stack, x = _stack(), torch.randn(1, 4, 5)
    begun = _begun(stack, "lstm", 1)
    out, after = stack(x, begun, documents=torch.tensor([[0, 0, 1, 1]]))
    first, _ = stack(x[:, :2], begun)
    second, last = stack(x[:, 2:])
    torch.testing.assert_close(out, torch.cat([first, second], dim=1), **CLOSE)
    torch.testing.assert_close(after, last, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_read_in_pieces_is_the_row(cell: Cell) -> None:
    stack, x = _stack(cell), torch.randn(3, 6, 5)
    whole, end = stack(x)
    state, pieces = None, []
    for piece in x.split([1, 0, 3, 2], dim=1):
        out, state = stack(piece, state)
        pieces.append(out)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, **CLOSE)
    torch.testing.assert_close(state, end, **CLOSE)


def test_both_directions_are_one_beside_the_other() -> None:
    stack, x = _stack(both=True), torch.randn(2, 5, 5)
    lowest, highest = stack.each(x)
    onward, (h, c) = stack.layers[0](x)
    back, (h_back, c_back) = stack.back[0](x.flip(1))
    torch.testing.assert_close(lowest, torch.cat([onward, back.flip(1)], dim=-1), **CLOSE)
    out, after = stack(x)
    assert torch.equal(out, highest)
    torch.testing.assert_close(after[0], (torch.cat([h, h_back], -1), torch.cat([c, c_back], -1)), **CLOSE)


def test_every_layer_is_given_with_padding_too() -> None:
    stack, x = _stack(both=True), torch.randn(1, 5, 5)
    keep = torch.tensor([[False, True, True, True, False]])
    for padded, alone in zip(stack.each(x, keep=keep), stack.each(x[:, 1:4]), strict=True):
        torch.testing.assert_close(padded[:, 1:4], alone, **CLOSE)


def test_dropout_falls_between_layers_in_training_and_not_on_the_last() -> None:
    stack, x = _stack(dropout=0.5), torch.randn(2, 50, 5)
    lower, _ = stack.train().each(x), stack.eval()
    onward, _ = stack.layers[0](x)
    torch.testing.assert_close(lower[0], onward, **CLOSE)
    assert not torch.allclose(lower[1], stack(x)[0], atol=1e-3)
    assert (lower[1] != 0).all()


def test_a_row_is_reversed_within_its_length() -> None:
    x = torch.arange(8.0).view(2, 4, 1)
    told = reverse(x, torch.tensor([3, 0]))
    assert told[..., 0].tolist() == [[2.0, 1.0, 0.0, 3.0], [4.0, 5.0, 6.0, 7.0]]


def test_every_weight_learns_from_rows_with_padding_and_documents() -> None:
    stack, x = _stack(both=True), torch.randn(2, 5, 5, requires_grad=True)
    keep = torch.tensor([[0, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()
    out, _ = stack(x, keep=keep, documents=torch.tensor([[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]]))
    out.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in stack.parameters())
    assert x.grad is not None
    assert bool((x.grad.abs().sum(-1) > 0).equal(keep))
