"""The loss in chunks equals torch's loss over all scores at once, and so do its gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn import cross_entropy as module
from glassformer.nn.cross_entropy import IGNORED, cross_entropy

ROWS, DIM, VOCAB = 23, 6, 11


def _parts(
    dtype: torch.dtype = torch.float32, *, bias: bool = True
) -> tuple[Tensor, nn.Parameter, Tensor | None]:
    hidden = torch.randn(ROWS, DIM).to(dtype).requires_grad_()
    weight = nn.Parameter(torch.randn(VOCAB, DIM).to(dtype))
    return hidden, weight, torch.randn(VOCAB).to(dtype).requires_grad_() if bias else None


def _labels(ignored: int = 5) -> Tensor:
    labels = torch.randint(0, VOCAB, (ROWS,))
    labels[torch.randperm(ROWS)[:ignored]] = IGNORED
    return labels


def _wanted(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
) -> list[Tensor]:
    """Loss, plain loss and gradients by torch, in float64."""
    parts = [part.detach().double().requires_grad_() for part in (hidden, weight, bias) if part is not None]
    scores = functional.linear(*parts)
    loss = functional.cross_entropy(scores, labels, label_smoothing=smoothing, reduction="sum")
    plain = functional.cross_entropy(scores, labels, reduction="sum")
    return [loss, plain, *torch.autograd.grad(loss, parts)]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("chunk", [1, 4 * VOCAB, 23 * VOCAB, 1 << 22])
def test_loss_and_gradients_are_those_of_torch_whatever_the_chunk(
    smoothing: float, bias: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    hidden, weight, offset = _parts(bias=bias)
    labels = _labels()
    loss, plain = cross_entropy(hidden, weight, offset, labels, smoothing)
    loss.backward()
    wanted = _wanted(hidden, weight, offset, labels, smoothing)
    grads = [part.grad for part in (hidden, weight, offset) if part is not None]
    for ours, theirs in zip([loss, plain, *grads], wanted, strict=True):
        assert ours is not None
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-5, atol=1e-5)


def test_the_gradient_is_the_slope_measured_by_small_steps() -> None:
    hidden, weight, bias = _parts()
    labels = _labels()
    loss, _ = cross_entropy(hidden, weight, bias, labels, 0.1)
    loss.backward()
    step = 1e-2
    for part in (hidden, weight, bias):
        assert part is not None
        assert part.grad is not None
        for place in range(0, part.numel(), 7):
            sides = []
            for sign in (1, -1):
                moved = part.detach().clone()
                moved.view(-1)[place] += sign * step
                given = [moved if other is part else other for other in (hidden, weight, bias)]
                sides.append(float(cross_entropy(*given, labels, 0.1)[0].detach()))
            slope = (sides[0] - sides[1]) / (2 * step)
            assert float(part.grad.view(-1)[place]) == pytest.approx(slope, abs=5e-3)


def test_ignored_rows_count_nothing_and_get_no_gradient() -> None:
    hidden, weight, bias = _parts()
    labels = _labels(ignored=8)
    loss, plain = cross_entropy(hidden, weight, bias, labels, 0.1)
    loss.backward()
    kept = labels != IGNORED
    assert hidden.grad is not None
    assert not hidden.grad[~kept].any()
    assert bool(hidden.grad[kept].any(dim=1).all())
    alone = cross_entropy(hidden[kept], weight, bias, labels[kept], 0.1)
    assert torch.equal(alone[0], loss)
    assert torch.equal(alone[1], plain)


def test_a_batch_of_ignored_rows_alone_is_a_loss_of_zero() -> None:
    hidden, weight, bias = _parts()
    loss, plain = cross_entropy(hidden, weight, bias, torch.full((ROWS,), IGNORED), 0.1)
    loss.backward()
    assert (loss.item(), plain.item()) == (0.0, 0.0)
    for part in (hidden, weight, bias):
        assert part is not None
        assert part.grad is not None
        assert not part.grad.any()


def test_a_factor_on_the_loss_is_a_factor_on_the_gradient() -> None:
    hidden, weight, bias = _parts()
    labels = _labels()
    (cross_entropy(hidden, weight, bias, labels, 0.1)[0] / 7).backward()
    wanted = _wanted(hidden, weight, bias, labels, 0.1)
    assert hidden.grad is not None
    torch.testing.assert_close(hidden.grad.double() * 7, wanted[2], rtol=1e-5, atol=1e-5)


def test_a_tied_table_gets_the_gradient_of_both_of_its_places() -> None:
    table = nn.Parameter(torch.randn(VOCAB, DIM))
    tokens, labels = torch.randint(0, VOCAB, (2, ROWS))
    loss, _ = cross_entropy(functional.embedding(tokens, table), table, None, labels, 0.1)
    loss.backward()
    wanted = table.detach().double().requires_grad_()
    scores = functional.embedding(tokens, wanted) @ wanted.T
    functional.cross_entropy(scores, labels, label_smoothing=0.1, reduction="sum").backward()
    assert table.grad is not None
    assert wanted.grad is not None
    torch.testing.assert_close(table.grad.double(), wanted.grad, rtol=1e-5, atol=1e-5)


def test_only_the_gradients_that_are_wanted_are_made() -> None:
    hidden, weight, bias = _parts()
    weight.requires_grad_(False)
    loss, plain = cross_entropy(hidden, weight, bias, _labels(), 0.1)
    loss.backward()
    assert weight.grad is None
    assert hidden.grad is not None
    assert not plain.requires_grad
    with torch.no_grad():
        assert not cross_entropy(hidden, weight, bias, _labels(), 0.1)[0].requires_grad


def test_in_bfloat16_the_loss_is_summed_in_float32_and_near_the_exact_one() -> None:
    hidden, weight, bias = _parts(torch.bfloat16)
    labels = _labels()
    loss, plain = cross_entropy(hidden, weight, bias, labels, 0.1)
    loss.backward()
    assert (loss.dtype, plain.dtype) == (torch.float32, torch.float32)
    wanted = _wanted(hidden, weight, bias, labels, 0.1)
    torch.testing.assert_close(loss.double(), wanted[0], rtol=1e-2, atol=0)
    for part, theirs in zip((hidden, weight, bias), wanted[2:], strict=True):
        assert part is not None
        assert part.grad is not None
        assert part.grad.dtype == torch.bfloat16
        torch.testing.assert_close(part.grad.double(), theirs, rtol=3e-2, atol=3e-2)


def test_certain_scores_of_any_size_give_a_finite_loss() -> None:
    hidden, labels = torch.eye(4) * 1e4, torch.tensor([0, 1, 2, 0])
    loss, _ = cross_entropy(hidden, torch.eye(4), None, labels, 0.0)
    assert float(loss) == pytest.approx(1e4)
    even, _ = cross_entropy(torch.zeros(3, 4), torch.eye(4), None, torch.tensor([0, 1, 2]), 0.3)
    assert float(even) == pytest.approx(3 * math.log(4))
