"""What all layouts of joint maps share: which part is whose, biases where only some have one, no rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.joint import Joint, biases, weights


class Plain(Joint):
    def __init__(self, parts: list[nn.Linear]) -> None:
        super().__init__(parts)
        self.whole, self.bias = weights(parts, torch.float64), biases(parts, torch.float64)

    def _product(self, x: Tensor) -> Tensor:
        assert x.numel()
        return functional.linear(x, self.whole, self.bias)


@pytest.mark.parametrize("biased", [(True, True), (True, False), (False, False)])
def test_the_result_of_each_map_is_its_own(biased: tuple[bool, bool]) -> None:
    parts = [nn.Linear(6, size, bias=bias) for size, bias in zip((3, 5), biased, strict=True)]
    one, x = Plain(parts), torch.randn(2, 6).double()
    assert (one.bias is None) == (not any(biased))
    with torch.no_grad():
        for got, part in zip(one.apart(x), parts, strict=True):
            torch.testing.assert_close(got, part.double()(x))


def test_no_rows_give_no_rows_and_are_never_multiplied() -> None:
    one = Plain([nn.Linear(6, 3), nn.Linear(6, 5)])
    for shape in ((0, 6), (2, 0, 6)):
        assert one(torch.randn(shape)).shape == (*shape[:-1], 8)
        assert [part.shape for part in one.apart(torch.randn(shape))] == [(*shape[:-1], 3), (*shape[:-1], 5)]
