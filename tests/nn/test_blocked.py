"""Attention by blocks of queries: it is the equation, whatever the blocks, forward and backward."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from glassformer.nn import blocked as module
from glassformer.nn.attention import explicit
from glassformer.nn.blocked import blocked
from glassformer.nn.mask import Mask

LENGTH = 11
DOCUMENTS = torch.tensor([[0] * 4 + [1] * 7, [3] * 11])
KEEP = torch.arange(LENGTH) < torch.tensor([[11], [6]])
MASKS: dict[str, Callable[[], Mask]] = {
    "all": Mask,
    "causal": lambda: Mask(causal=True),
    "window": lambda: Mask(causal=True, window=3),
    "documents": lambda: Mask(causal=True, documents=DOCUMENTS),
    "keep": lambda: Mask(causal=True, keep=KEEP),
}


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)


@pytest.mark.parametrize("shared", [4, 2, 1])
@pytest.mark.parametrize("mask", MASKS)
def test_output_and_gradients_are_those_of_the_equation(mask: str, shared: int) -> None:
    sizes = ((2, 4, LENGTH, 6), (2, shared, LENGTH, 6), (2, shared, LENGTH, 5))
    parts = [torch.randn(*size, dtype=torch.float64, requires_grad=True) for size in sizes]
    slope = torch.randn(2, 4, LENGTH, 5, dtype=torch.float64)
    got, wanted = (kernel(*parts, MASKS[mask](), 0.0) for kernel in (blocked, explicit))
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(
        torch.autograd.grad(got, parts, slope), torch.autograd.grad(wanted, parts, slope)
    )


def test_bfloat16_is_as_near_to_the_equation_as_the_plain_form() -> None:
    parts = [torch.randn(3, 2, LENGTH, 8).bfloat16().requires_grad_() for _ in range(3)]
    exact = [part.detach().double().requires_grad_() for part in parts]
    slope = torch.randn(3, 2, LENGTH, 8).bfloat16()
    wanted = torch.autograd.grad(explicit(*exact, Mask(causal=True), 0.0), exact, slope.double())
    errors = []
    for kernel in (blocked, explicit):
        found = torch.autograd.grad(kernel(*parts, Mask(causal=True), 0.0), parts, slope)
        errors.append(max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True)))
    assert errors[0] < 2 * errors[1]


def test_dropout_hits_the_same_weights_forward_and_backward() -> None:
    q, k = torch.zeros(2, 1, 2, LENGTH, 4, dtype=torch.float64)
    v = torch.randn(1, 2, LENGTH, 4, dtype=torch.float64, requires_grad=True)
    mixed = blocked(q, k, v, Mask(causal=True), 0.5)
    # With q = 0 the output is linear in v, so that its slope times v is the output itself.
    slope = torch.randn_like(mixed)
    (by_v,) = torch.autograd.grad(mixed, v, slope)
    torch.testing.assert_close((by_v * v).sum(), (mixed * slope).sum())
    plain = blocked(q, k, v, Mask(causal=True), 0.0)
    assert not torch.allclose(mixed, plain)


def test_what_lies_after_a_block_is_not_multiplied() -> None:
    assert list(module._cuts(Mask(causal=True), 10, 10)) == [
        (slice(8, 10), 10),
        (slice(4, 8), 8),
        (slice(0, 4), 4),
    ]
    assert list(module._cuts(Mask(), 10, 10)) == [(slice(0, 10), 10)]
    # A query that may look at nothing mixes all keys evenly, those of the future too.
    assert list(module._cuts(Mask(causal=True, keep=KEEP), 11, 11)) == [(slice(0, 11), 11)]
