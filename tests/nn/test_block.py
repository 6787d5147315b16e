"""Blocks: the order of norm, part and residual is the one that was asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from glassformer.nn.block import ACTIVATIONS, MLP, Block, BlockConfig
from glassformer.nn.mask import Mask

SIZES = {"dim": 8, "heads": 2, "mlp_dim": 12}
CAUSAL, ALL = Mask(causal=True), Mask()


def _block(**settings: Any) -> Block:
    block = Block(BlockConfig(**(SIZES | settings)))
    for weight in block.parameters():
        nn.init.normal_(weight, std=0.5)
    return block.eval()


def test_post_norm_is_the_norm_of_the_sum() -> None:
    block = _block(cross=True)
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    wanted = block.attention_norm(x + block.attention(x, CAUSAL))
    wanted = block.cross_norm(wanted + block.cross(wanted, ALL, memory=memory))
    wanted = block.mlp_norm(wanted + block.mlp(wanted))
    torch.testing.assert_close(block(x, CAUSAL, memory=memory, memory_mask=ALL), wanted)


def test_pre_norm_is_a_sum_with_the_normed_part() -> None:
    block = _block(cross=True, norm="pre")
    x, memory = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    wanted = x + block.attention(block.attention_norm(x), CAUSAL)
    wanted = wanted + block.cross(block.cross_norm(wanted), ALL, memory=memory)
    wanted = wanted + block.mlp(block.mlp_norm(wanted))
    torch.testing.assert_close(block(x, CAUSAL, memory=memory, memory_mask=ALL), wanted)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", functional.relu),
        ("gelu", functional.gelu),
        ("gelu_tanh", lambda x: functional.gelu(x, approximate="tanh")),
        ("silu", lambda x: x * torch.sigmoid(x)),
    ],
)
def test_the_mlp_is_two_matrices_around_its_activation(name: str, function: Any) -> None:
    mlp = MLP(BlockConfig(**SIZES, activation=name))
    x = torch.randn(2, 5, 8)
    inner = function(x @ mlp.up.weight.T + mlp.up.bias)
    torch.testing.assert_close(mlp(x), inner @ mlp.down.weight.T + mlp.down.bias)


def test_the_mlp_treats_every_position_alone() -> None:
    mlp = MLP(BlockConfig(**SIZES))
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(mlp(x)[:, 3:4], mlp(x[:, 3:4]))


def test_every_activation_that_may_be_asked_for_is_there() -> None:
    for name in ACTIVATIONS:
        assert BlockConfig(**SIZES, activation=name).activation == name
    with pytest.raises(ValidationError):
        BlockConfig(**SIZES, activation="mish")


def test_a_block_without_cross_attention_has_no_part_of_it() -> None:
    assert not any(name.startswith("cross") for name, _ in _block().named_parameters())
    assert any(name.startswith("cross") for name, _ in _block(cross=True).named_parameters())


def test_biases_can_be_left_out() -> None:
    names = [name for name, _ in _block(bias=False, cross=True).named_parameters()]
    assert [name for name in names if name.endswith("bias") and "norm" not in name] == []


def test_attention_may_have_biases_of_its_own() -> None:
    for settings in ({"bias": False, "attention_bias": True}, {"bias": True, "attention_bias": False}):
        block = _block(**settings)
        assert (block.attention.q.bias is not None) == settings["attention_bias"]
        assert (block.attention.out.bias is not None) == settings["attention_bias"]
        assert (block.mlp.up.bias is not None) == settings["bias"]


def test_the_last_projection_of_attention_may_differ_in_its_bias() -> None:
    for queries, last in ((True, False), (False, True)):
        block = _block(attention_bias=queries, out_bias=last, cross=True)
        for part in (block.attention, block.cross):
            assert [one.bias is not None for one in (part.q, part.k, part.v)] == [queries] * 3
            assert (part.out.bias is not None) == last


def test_a_gated_mlp_multiplies_what_two_matrices_say() -> None:
    mlp = MLP(BlockConfig(**SIZES, activation="silu", gated=True, bias=False))
    x = torch.randn(2, 5, 8)
    assert mlp.gate is not None
    inner = functional.silu(x @ mlp.gate.weight.T) * (x @ mlp.up.weight.T)
    torch.testing.assert_close(mlp(x), inner @ mlp.down.weight.T)


def test_the_rms_norm_divides_by_the_root_mean_square_and_subtracts_nothing() -> None:
    block = _block(normalizer="rms", cross=True, eps=0.1)
    x = torch.randn(2, 5, 8)
    for norm in (block.attention_norm, block.cross_norm, block.mlp_norm):
        wanted = x / (x.square().mean(-1, keepdim=True) + 0.1).sqrt() * norm.weight
        torch.testing.assert_close(norm(x), wanted)
        assert [name for name, _ in norm.named_parameters()] == ["weight"]


def test_a_block_with_a_window_sees_no_farther_back() -> None:
    block, x = _block(window=2), torch.randn(1, 6, 8)
    torch.testing.assert_close(block(x, CAUSAL), _same_weights(block)(x, Mask(causal=True, window=2)))
    changed = x.clone()
    changed[:, 0] += 1
    assert torch.equal(block(x, CAUSAL)[:, 2:], block(changed, CAUSAL)[:, 2:])
    assert not torch.allclose(block(x, CAUSAL)[:, 1], block(changed, CAUSAL)[:, 1])


def _same_weights(block: Block) -> Block:
    other = _block()
    other.load_state_dict(block.state_dict())
    return other


def _holes(monkeypatch: pytest.MonkeyPatch, **rates: float) -> dict[str, int]:
    """How often dropout is asked for in each file when a block with these rates trains."""
    seen: dict[str, int] = {}
    for part, name in (("block", "thin"), ("blocked", "kept"), ("dropout", "thin")):

        def thin(x: Tensor, rate: float, part: str = part) -> Tensor:
            seen[part] = seen.get(part, 0) + 1
            return x

        monkeypatch.setattr(f"glassformer.nn.{part}.{name}", thin)
    _block(**rates).train()(torch.randn(1, 3, 8), CAUSAL)
    return seen


def test_each_rate_thins_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _holes(monkeypatch) == {}
    assert _holes(monkeypatch, dropout=0.1) == {"block": 2}
    assert _holes(monkeypatch, attention_dropout=0.1) == {"blocked": 1}
    assert _holes(monkeypatch, activation_dropout=0.1) == {"dropout": 1}


def test_only_the_part_is_thinned_and_never_the_residual() -> None:
    block = _block(norm="pre", dropout=0.999).train()
    x = torch.randn(1, 3, 8)
    same = (block(x, CAUSAL) == x).float().mean()
    assert float(same) > 0.8
