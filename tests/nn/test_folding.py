"""A twin is folded and shares the rest; ties stay ties, and the original stays as it is."""

import torch
from torch import nn

from glassformer.nn.folding import folded, twin
from glassformer.nn.low_rank import LowRank


def test_what_does_not_fold_is_shared():
    linear = nn.Linear(3, 3)
    model = nn.Sequential(linear, LowRank(nn.Linear(3, 3), 1, 1.0), linear)
    made = folded(model)
    assert made[0] is made[2]
    assert made[0].weight is linear.weight
    assert type(made[1]) is nn.Linear
    assert isinstance(model[1], LowRank)


def test_a_tied_weight_is_converted_once():
    one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    other.weight = one.weight
    made = twin(nn.Sequential(one, other), torch.bfloat16)
    assert made[0].weight is made[1].weight
    assert made[0].weight.dtype == torch.bfloat16
    assert one.weight.dtype == torch.float32
