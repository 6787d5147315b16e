"""Dropout: the rate, the scale and the mean are as promised, and chance is torch's own."""

from __future__ import annotations

import pytest
import torch

from glassformer.nn.dropout import LEVELS, Dropout, thin


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3, 0.5, 0.9])
def test_rate_scale_and_mean_are_as_promised(rate: float) -> None:
    count = 400_000
    thinned = thin(torch.ones(count), rate)
    gone = float((thinned == 0).float().mean())
    # Five standard deviations of a coin thrown that often.
    assert gone == pytest.approx(rate, abs=5 * (rate * (1 - rate) / count) ** 0.5 + 1 / LEVELS)
    scale = thinned[thinned != 0].unique()
    assert len(scale) == 1
    assert float(scale) == pytest.approx(1 / (1 - rate), rel=1e-3)
    exact = (1 - round(rate * LEVELS) / LEVELS) * float(scale)
    assert exact == pytest.approx(1, abs=1e-6)


def test_neighbours_fall_independently() -> None:
    gone = (thin(torch.ones(400_000), 0.5) == 0).float()
    for step in (1, 2, 3, 4, 8):
        both = float((gone[:-step] * gone[step:]).mean())
        assert both == pytest.approx(0.25, abs=0.005)


def test_the_gradient_passes_where_the_number_did() -> None:
    x = torch.randn(5, 7, requires_grad=True)
    thinned = thin(x, 0.4)
    thinned.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x.detach(), thinned.detach())


@pytest.mark.parametrize("shape", [(0,), (1,), (3,), (4,), (5, 3), (2, 0, 3)])
def test_every_shape_is_kept(shape: tuple[int, ...]) -> None:
    assert thin(torch.ones(shape), 0.1).shape == shape


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_type_is_kept(dtype: torch.dtype) -> None:
    assert thin(torch.ones(8, dtype=dtype), 0.1).dtype == dtype


def test_the_same_seed_gives_the_same_holes() -> None:
    torch.manual_seed(3)
    first = thin(torch.ones(100), 0.3)
    again = thin(torch.ones(100), 0.3)
    torch.manual_seed(3)
    assert torch.equal(thin(torch.ones(100), 0.3), first)
    assert not torch.equal(first, again)


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero() -> None:
    x = torch.randn(50)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0).train()(x) is x
    assert not torch.equal(Dropout(0.5).train()(x), x)
    assert "0.5" in repr(Dropout(0.5))


def test_other_devices_are_left_to_torch() -> None:
    assert thin(torch.ones(4, device="meta"), 0.5).device.type == "meta"
