"""Names: two tables in one, the longest pattern first, numbers carried over."""

from __future__ import annotations

import pytest
import torch

from glassformer.nn.names import Form, Names

NAMES = Names(
    [
        ("encoder.*.mlp.up", "model.encoder.layers.*.fc1"),
        ("encoder.*", "model.encoder.layers.*"),
        ("table", "model.shared"),
        ("table", "model.encoder.embed_tokens"),
        ("blocks.*.experts.*.up", "h.*.moe.*.w1"),
        ("output.bias", "final_logits_bias"),
    ],
    {
        "output.bias": Form(lambda bias: bias[None], lambda bias: bias[0]),
        "blocks.*.experts.*.up": Form(torch.t, torch.t),
    },
    fused=[
        (("blocks.*.attention.q", "blocks.*.attention.k"), "transformer.h.*.attn.c_attn"),
        (("blocks.*.attention.q", "blocks.*.attention.k"), "h.*.attn.c_attn"),
    ],
    ignored=["h.*.attn.bias", "position_ids"],
)


@pytest.mark.parametrize(
    ("memory", "file"),
    [
        ("encoder.3.mlp.up.weight", "model.encoder.layers.3.fc1.weight"),
        ("encoder.12.other.bias", "model.encoder.layers.12.other.bias"),
        ("table.weight", "model.shared.weight"),
        ("blocks.1.experts.20.up", "h.1.moe.20.w1"),
        ("output.bias", "final_logits_bias"),
    ],
)
def test_a_name_goes_to_the_file_and_comes_back(memory: str, file: str) -> None:
    assert NAMES.to_file(memory) == file
    assert NAMES.to_memory(file) == (memory,)


def test_the_longest_pattern_decides_in_whatever_order_the_table_is() -> None:
    turned = Names([("a", "x"), ("a.b", "y")])
    assert turned.to_file("a.b.weight") == "y.weight"
    assert turned.to_file("a.c.weight") == "x.c.weight"


def test_the_first_of_two_names_in_a_file_is_written_and_both_are_read() -> None:
    assert NAMES.to_memory("model.encoder.embed_tokens.weight") == ("table.weight",)
    assert NAMES.to_file("table.weight") == "model.shared.weight"


@pytest.mark.parametrize("name", ["unknown", "encoder", "encoder.x.mlp.up.weight", "tables.weight", ""])
def test_a_name_without_a_place_has_none(name: str) -> None:
    assert NAMES.to_file(name) is None
    assert NAMES.to_memory(name) is None


def test_a_fused_tensor_holds_several_weights_in_order_and_each_knows_it() -> None:
    held = ("blocks.7.attention.q.bias", "blocks.7.attention.k.bias")
    assert NAMES.to_memory("transformer.h.7.attn.c_attn.bias") == held
    assert NAMES.to_memory("h.7.attn.c_attn.bias") == held
    assert [NAMES.to_file(name) for name in held] == ["transformer.h.7.attn.c_attn.bias"] * 2


def test_what_is_ignored_holds_no_weight() -> None:
    assert NAMES.to_memory("h.3.attn.bias") == ()
    assert NAMES.to_memory("position_ids") == ()
    assert NAMES.to_memory("h.3.attn.biases") is None


def test_a_weight_has_the_form_of_its_pattern_and_otherwise_its_own() -> None:
    bias, matrix = torch.arange(3), torch.arange(6).view(2, 3)
    assert NAMES.form("output.bias").to_file(bias).shape == (1, 3)
    assert torch.equal(NAMES.form("output.bias").to_memory(bias[None]), bias)
    assert torch.equal(NAMES.form("blocks.0.experts.1.up").to_file(matrix), matrix.T)
    assert NAMES.form("encoder.0.mlp.up.weight").to_file(matrix) is matrix
