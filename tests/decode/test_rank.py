"""The k best are those of a full stable sort."""

from __future__ import annotations

import pytest
import torch

from glassformer.decode.rank import best


@pytest.mark.parametrize("many", [5, 64, 640, 1000, 4097])
@pytest.mark.parametrize("levels", [3, 1_000_000])
@pytest.mark.parametrize("k", [1, 4, 5])
def test_the_best_are_those_of_a_stable_sort(many: int, levels: int, k: int) -> None:
    values = torch.randint(-levels, levels, (7, many)).float() / 3
    values[2] = -torch.inf
    values[3, ::2] = -torch.inf
    want = values.sort(dim=1, descending=True, stable=True)
    got, place = best(values, k)
    assert torch.equal(got, want.values[:, :k])
    assert torch.equal(place, want.indices[:, :k])


def test_minus_zero_is_zero() -> None:
    values = torch.full((1, 3000), -1.0)
    values[0, 100], values[0, 2999], values[0, 7] = 0.0, 0.0, -0.0
    assert best(values, 3)[1].tolist() == [[7, 100, 2999]]
