"""Masks: True means may look, statements hold together, and nothing is made that is not needed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glassformer.nn.mask import Mask

CPU = torch.device("cpu")


def _may(mask: Mask, queries: int, keys: int) -> list[list[int]]:
    """The first row of the batch as ones and zeros."""
    bias = mask.bias(queries, keys, torch.float32, CPU)
    assert bias is not None
    return (bias[0, 0] == 0).int().expand(queries, keys).tolist()


def test_no_statement_needs_no_tensor() -> None:
    assert Mask().bias(4, 4, torch.float32, CPU) is None


def test_causal_lets_each_query_see_itself_and_the_past() -> None:
    assert _may(Mask(causal=True), 4, 4) == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]


def test_the_last_query_stands_at_the_last_key() -> None:
    assert _may(Mask(causal=True), 2, 4) == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert Mask(causal=True).bias(1, 4, torch.float32, CPU) is None


def test_a_window_with_causal_reaches_back_that_many_keys() -> None:
    assert _may(Mask(causal=True, window=2), 4, 4) == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert _may(Mask(window=2), 3, 3) == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]


def test_a_window_holds_for_a_single_query_too() -> None:
    assert _may(Mask(causal=True, window=2), 1, 4) == [[0, 0, 1, 1]]


def test_keep_is_true_where_a_key_may_be_looked_at() -> None:
    keep = torch.tensor([[True, True, False], [True, False, False]])
    bias = Mask(keep=keep).bias(2, 3, torch.float32, CPU)
    assert bias is not None
    assert bias.shape == (2, 1, 1, 3)
    assert torch.equal(bias[:, 0, 0] == 0, keep)


def test_statements_hold_together() -> None:
    keep = torch.tensor([[False, True, True, True]])
    assert _may(Mask(causal=True, keep=keep), 4, 4) == [
        [0, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 1, 1, 1],
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_what_may_not_be_seen_weighs_nothing_and_a_blind_query_mixes_evenly(dtype: torch.dtype) -> None:
    keep = torch.tensor([[True, False, True], [False, False, False]])
    bias = Mask(keep=keep).bias(1, 3, dtype, CPU)
    assert bias is not None
    weights = torch.softmax(torch.randn(2, 1, 1, 3, dtype=dtype) + bias, dim=-1)[:, 0, 0]
    assert weights[0, 1] == 0
    torch.testing.assert_close(weights[1], torch.full((3,), 1 / 3, dtype=dtype), rtol=0.1, atol=0)


def test_a_tensor_is_made_once_for_all_layers_and_anew_for_another_shape() -> None:
    mask = Mask(causal=True)

    def bias(size: int) -> Tensor | None:
        return mask.bias(size, size, torch.float32, CPU)

    assert bias(4) is bias(4)
    assert bias(5) is not bias(4)
    assert Mask(causal=True) == mask


def test_a_query_sees_the_keys_of_its_own_document() -> None:
    documents = torch.tensor([[0, 0, 1, 1], [4, 4, 4, 2]])
    mask = Mask(causal=True, documents=documents)
    assert _may(mask, 4, 4) == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert _may(mask, 2, 4) == [[0, 0, 1, 0], [0, 0, 1, 1]]
    assert _may(mask, 1, 4) == [[0, 0, 1, 1]]
    assert _may(Mask(documents=documents), 4, 4)[0] == [1, 1, 0, 0]
    bias = mask.bias(1, 4, torch.float32, CPU)
    assert bias is not None
    assert (bias[1, 0, 0] == 0).tolist() == [False, False, False, True]


def test_a_window_as_wide_as_all_keys_needs_no_tensor() -> None:
    mask = Mask(causal=True, window=4)
    assert mask.bias(1, 4, torch.float32, CPU) is None
    assert mask.only_causal(4)
    assert not mask.only_causal(5)
    assert _may(mask, 1, 5) == [[0, 1, 1, 1, 1]]


def test_a_narrower_mask_is_made_once_and_keeps_what_was_said() -> None:
    keep = torch.tensor([[True, False, True, True]])
    mask = Mask(causal=True, keep=keep)
    near = mask.within(2)
    assert near is mask.within(2)
    assert near.keep is keep
    assert _may(near, 4, 4) == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert mask.window is None
    assert near.within(3).window == 2
    assert not mask.only_causal(4)


def test_only_the_causal_rule_alone_is_the_kernels_own() -> None:
    assert Mask(causal=True).only_causal(3)
    assert not Mask().only_causal(3)
    assert not Mask(causal=True, documents=torch.zeros(1, 3, dtype=torch.long)).only_causal(3)
