"""A prefix is seen by every query of its layer, and is a table whatever made it."""

import torch

from glassformer.models.gpt import Config, Model
from glassformer.nn.mask import Mask
from glassformer.nn.prefix import Prefixes, put_prefixes, self_attentions, sizes_of


def test_what_made_it_is_folded_into_a_table():
    torch.manual_seed(0)
    made = Prefixes(3, [4, 2], inner=5, dim=6)
    plain = made.folded()
    assert list(dict(plain.named_parameters())) == ["table"]
    for layer, size in enumerate((4, 2)):
        for one, other in zip(made.of(layer), plain.of(layer), strict=True):
            assert one.shape == (3, size)
            torch.testing.assert_close(one, other)


def test_it_stands_in_every_layer_and_positions_begin_after_it():
    model = Model(Config(dim=8, depth=2, heads=2, max_length=6, vocab_size=9))
    put_prefixes(model, Prefixes(2, sizes_of(model)))
    assert [part.layer for part in self_attentions(model)] == [0, 1]
    assert (model.first, model.config.max_length) == (2, 4)
    assert sum("prefix" in name for name, _ in model.named_parameters()) == 1


def test_every_query_sees_it_whatever_the_rules_are():
    keep = torch.tensor([[True, False, True]])
    mask = Mask(causal=True, keep=keep, window=1).after(2)
    bias = mask.bias(3, 5, torch.float32, torch.device("cpu"))
    assert bias is not None
    assert (bias[0, 0] == 0).tolist() == [
        [True, True, True, False, False],
        [True, True, False, False, False],
        [True, True, False, False, True],
    ]
    assert not mask.only_causal(5)
    assert Mask(causal=True).after(2).bias(1, 4, torch.float32, torch.device("cpu")) is None
