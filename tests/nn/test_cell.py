"""Cells: every kernel computes the library's modules, outputs, states and gradients, whatever the lengths."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glassformer.nn.cell import GATES, KERNELS, Cell, explicit
from glassformer.nn.recurrent import Recurrent

CELLS: list[Cell] = ["lstm", "gru", "rnn"]
THEIRS: dict[str, Any] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
CLOSE = {"rtol": 0.0, "atol": 1e-6}
LENGTHS = torch.tensor([3, 6, 0, 1])


def _ours(cell: Cell, kernel: str = "fastest") -> Recurrent:
    """Weights of a size that matters, biases included."""
    torch.manual_seed(7)
    layer = Recurrent(5, 4, cell)
    layer.kernel = KERNELS[kernel]
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(std=0.5)
    return layer


def _theirs(ours: Recurrent) -> Any:
    """The library's module of the same weights; one of its two biases of a gate is enough."""
    module = THEIRS[ours.cell](5, 4, batch_first=True)
    with torch.no_grad():
        module.weight_ih_l0.copy_(ours.input.weight)
        module.weight_hh_l0.copy_(ours.hidden.weight)
        module.bias_ih_l0.copy_(ours.input.bias)
        module.bias_hh_l0.zero_()
        if ours.candidate is not None:
            module.bias_hh_l0[8:].copy_(ours.candidate)
    return module


def _begun(cell: str, rows: int) -> tuple[Tensor, ...]:
    return tuple(torch.randn(rows, 4, requires_grad=True) for _ in range(2 if cell == "lstm" else 1))


def _sum(out: Tensor, state: tuple[Tensor, ...]) -> Tensor:
    """A number in which every number of the answer counts in its own way."""
    parts = [out, *state]
    return sum((part * torch.arange(part.numel()).view(part.shape).sin()).sum() for part in parts)  # type: ignore[return-value]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_kernel_is_the_library_s_module_forward_and_backward(cell: Cell, kernel: str) -> None:
    ours = _ours(cell, kernel)
    theirs = _theirs(ours)
    x = torch.randn(3, 6, 5, requires_grad=True)
    begun = _begun(cell, 3)
    out, state = ours(x, begun)
    hx = tuple(part[None] for part in begun)
    wanted, last = theirs(x, hx if cell == "lstm" else hx[0])
    ends = tuple(part[0] for part in (last if cell == "lstm" else (last,)))
    torch.testing.assert_close(out, wanted, **CLOSE)
    torch.testing.assert_close(state, ends, **CLOSE)
    found = torch.autograd.grad(_sum(out, state), [x, *begun, *ours.parameters()])
    there = [theirs.weight_ih_l0, theirs.bias_ih_l0, theirs.weight_hh_l0]
    if cell == "gru":
        there.append(theirs.bias_hh_l0)
    *slopes, of_last = torch.autograd.grad(_sum(wanted, ends), [x, *begun, *there])
    slopes.append(of_last[8:] if cell == "gru" else of_last)
    by_name = dict(zip(["x", *("h", "c")[: len(begun)], *dict(ours.named_parameters())], found, strict=True))
    order = ["x", *("h", "c")[: len(begun)], "input.weight", "input.bias", "hidden.weight"]
    order += ["candidate"] if cell == "gru" else []
    for name, slope in zip(order, slopes, strict=True):
        torch.testing.assert_close(by_name[name], slope, **CLOSE, msg=name)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("cell", CELLS)
def test_rows_of_unlike_length_are_rows_alone(cell: Cell, kernel: str) -> None:
    ours, x, begun = _ours(cell, kernel), torch.randn(4, 6, 5, requires_grad=True), _begun(cell, 4)
    out, state = ours(x, begun, LENGTHS)
    alone = 0
    for row, length in enumerate(LENGTHS.tolist()):
        own = tuple(part[row : row + 1] for part in begun)
        wanted, last = explicit(cell, _weights(ours), x[row : row + 1, :length], own, None)
        torch.testing.assert_close(out[row, :length], wanted[0], **CLOSE)
        torch.testing.assert_close(tuple(part[row] for part in state), tuple(p[0] for p in last), **CLOSE)
        alone = alone + _sum(wanted, last)
    told = sum(
        _sum(out[row : row + 1, :length], tuple(part[row : row + 1] for part in state))
        for row, length in enumerate(LENGTHS.tolist())
    )
    wanted = [x, *begun, *ours.parameters()]
    for ours_of, theirs_of in zip(
        torch.autograd.grad(told, wanted), torch.autograd.grad(alone, wanted), strict=True
    ):
        torch.testing.assert_close(ours_of, theirs_of, **CLOSE)


def _weights(layer: Recurrent) -> Any:
    caught: list[Any] = []
    before = layer.kernel

    def catching(cell: str, weights: Any, *others: Any) -> Any:
        caught.append(weights)
        return before(cell, weights, *others)

    layer.kernel = catching
    layer(torch.zeros(1, 1, 5))
    layer.kernel = before
    return caught[0]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("cell", CELLS)
def test_no_rows_and_no_tokens_leave_the_state_as_it_was(cell: Cell, kernel: str) -> None:
    ours = _ours(cell, kernel)
    begun = _begun(cell, 2)
    out, state = ours(torch.zeros(2, 0, 5), begun)
    assert out.shape == (2, 0, 4)
    assert all(torch.equal(*pair) for pair in zip(state, begun, strict=True))
    nothing, _ = ours(torch.zeros(0, 3, 5))
    assert nothing.shape == (0, 3, 4)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("cell", CELLS)
def test_bfloat16_trains_and_stays_near_float32(cell: Cell, kernel: str) -> None:
    ours, x = _ours(cell, kernel), torch.randn(3, 6, 5)
    exact = ours(x)[0].detach()
    half = ours.bfloat16()
    out, state = half(x.bfloat16())
    assert {part.dtype for part in (out, *state)} == {torch.bfloat16}
    assert (out.float() - exact).abs().max() < 0.05
    out.float().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in half.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_the_library_keeps_what_the_way_back_needs_where_there_is_one(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = {"rnn": "rnn_tanh"}.get(cell, cell)
    library, told = getattr(torch, name), []

    def noting(*given: Any) -> Any:
        told.append(given[6])  # whether it trains: on a GPU there are no gradients without
        return library(*given)

    monkeypatch.setattr(torch, name, noting)
    layer, x = _ours(cell, "fused"), torch.randn(2, 3, 5)
    layer(x)
    with torch.no_grad():
        layer(x)
    assert told == [True, False]


@pytest.mark.parametrize("cell", CELLS)
def test_a_gate_has_one_bias_as_in_the_lectures(cell: Cell) -> None:
    layer = Recurrent(100, 128, cell)
    gates = GATES[cell]
    sizes = {name: weight.numel() for name, weight in layer.named_parameters()}
    inside = sizes.pop("candidate", 0)
    assert inside == (128 if cell == "gru" else 0)
    assert list(sizes.values()) == [gates * 12_800, gates * 128, gates * 16_384]


def test_an_lstm_begins_by_remembering() -> None:
    layer = Recurrent(5, 4, "lstm")
    assert layer.input.bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    for gate in layer.hidden.weight.split(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(4))
