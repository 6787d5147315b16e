"""LoRA bends attention and MLPs, or what is named; never a head, and nothing that would be passed over."""

import pytest
from tests.hub.peft_folders import SIZES

from glassformer.adapt.lora import Config, bend, chosen
from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.nn.low_rank import low_rank_parts


def _model(name, **settings):
    module = plugins.find("models", name)
    return module.Model(module.Config(**SIZES.get(name, {"vocab_size": 31}) | settings))


def test_without_targets_all_of_attention_and_mlps_are_bent():
    model = _model("bert")
    bend(model, Config(rank=2), None)
    parts = ("attention.q", "attention.k", "attention.v", "attention.out", "mlp.up", "mlp.down")
    assert set(low_rank_parts(model)) == {f"blocks.{layer}.{part}" for layer in (0, 1) for part in parts}


def test_scales_are_those_of_the_papers():
    for rooted, scale in ((False, 4.0), (True, 8.0)):
        model = _model("gpt")
        bend(model, Config(rank=4, alpha=16, rslora=rooted), None)
        assert {part.scale for part in low_rank_parts(model).values()} == {scale}


def test_targets_are_parts_of_names():
    model = _model("llama")
    assert set(chosen(model, ("0.attention.q", "gate"))) == {
        "blocks.0.attention.q",
        "blocks.0.mlp.gate",
        "blocks.1.mlp.gate",
    }
    with pytest.raises(
        UserError, match=r"'wq' is in the name of no linear layer of llama; there are attention\.q,"
    ):
        chosen(model, ("wq",))


def test_a_recurrence_is_refused_by_name():
    with pytest.raises(UserError, match="lora bends the matrices of attention and of MLPs, and rnn has none"):
        chosen(_model("rnn", dim=8))
    with pytest.raises(UserError, match=r"'layers\.0\.input' names layers that cannot be bent of rnn"):
        chosen(_model("rnn", dim=8), ("layers.0.input",))
