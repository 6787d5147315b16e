"""An update of low rank: nothing at first, one product when folded, and the layer's own names."""

import torch
from torch import nn

from glassformer.nn.folding import folded
from glassformer.nn.low_rank import LowRank, low_rank_parts, merge, put, unmerge


def _bent(seed: int = 0) -> tuple[nn.Linear, LowRank]:
    torch.manual_seed(seed)
    linear = nn.Linear(6, 4)
    return linear, LowRank(linear, 2, 1.5)


def test_it_begins_as_the_layer_that_it_was_made_from():
    linear, bent = _bent()
    x = torch.randn(3, 6)
    assert torch.equal(bent(x), linear(x))
    assert bent.weight is linear.weight
    assert [name for name, _ in bent.named_parameters()] == [
        "weight",
        "bias",
        "lora_A.weight",
        "lora_B.weight",
    ]


def test_folded_it_is_a_plain_layer_that_gives_the_same():
    linear, bent = _bent()
    nn.init.normal_(bent.lora_B.weight)
    x, before = torch.randn(3, 6), linear.weight.clone()
    plain = bent.folded()
    assert type(plain) is nn.Linear
    torch.testing.assert_close(plain(x), bent(x), rtol=0, atol=1e-5)
    assert not torch.allclose(plain(x), linear(x), atol=1e-2)
    assert torch.equal(linear.weight, before)


def test_it_is_found_and_put_by_name():
    model = nn.ModuleDict({"a": nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 4))})
    put(model, "a.1", LowRank(model["a"][1], 2, 1.0))
    assert list(low_rank_parts(model)) == ["a.1"]
    assert not low_rank_parts(folded(model))


def test_merged_in_place_it_gives_the_same_and_unmerged_it_is_bit_for_bit_what_it_was():
    linear, bent = _bent()
    nn.init.normal_(bent.lora_B.weight)
    x, before, apart = torch.randn(3, 6), linear.weight.clone(), bent(torch.ones(3, 6))
    plain, names = bent.folded(), [name for name, _ in bent.named_parameters()]
    for _ in range(2):  # twice is once
        merge(nn.Sequential(bent))
    assert bent.merged and not torch.equal(bent.weight, before)
    assert torch.equal(bent(x), plain(x)) and torch.equal(bent.folded()(x), plain(x))
    assert [name for name, _ in bent.named_parameters()] == names
    for _ in range(2):
        unmerge(nn.Sequential(bent))
    assert not bent.merged and bent.weight is linear.weight
    assert torch.equal(bent.weight, before) and torch.equal(bent(torch.ones(3, 6)), apart)


def test_a_hundred_times_merged_and_unmerged_nothing_has_drifted():
    linear, bent = _bent()
    nn.init.normal_(bent.lora_B.weight)
    before = linear.weight.clone()
    for _ in range(100):
        bent.merge()
        bent.unmerge()
    assert torch.equal(bent.weight, before)


def test_merged_nothing_learns_and_a_matrix_that_is_shared_stays_elsewhere():
    linear, bent = _bent()
    nn.init.normal_(bent.lora_B.weight)
    other, x = linear(torch.ones(1, 6)), torch.ones(1, 6, requires_grad=True)
    bent.merge()
    assert torch.equal(linear(torch.ones(1, 6)), other)
    bent(x).sum().backward()
    assert bent.lora_A.weight.grad is None and bent.lora_B.weight.grad is None
