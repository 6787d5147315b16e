"""Beginnings: matrices by Xavier, biases zero, token vectors of variance 1 / dim."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassformer.nn.block import Block, BlockConfig
from glassformer.nn.embedding import Output
from glassformer.nn.init import begin, begin_normal
from glassformer.nn.position import Positions


def test_matrices_biases_and_token_vectors_begin_as_promised() -> None:
    model = nn.ModuleDict(
        {"linear": nn.Linear(300, 500), "bare": nn.Linear(4, 4, bias=False), "table": nn.Embedding(900, 64)}
    )
    begin(model, 64)
    limit = math.sqrt(6 / 800)
    weight = model["linear"].weight
    assert weight.abs().max().item() <= limit
    assert weight.var().item() == pytest.approx(limit**2 / 3, rel=0.02)
    assert not model["linear"].bias.any()
    assert model["table"].weight.var().item() == pytest.approx(1 / 64, rel=0.02)


def test_norms_are_left_as_they_are() -> None:
    norm = nn.LayerNorm(8)
    begin(norm, 8)
    assert torch.equal(norm.weight, torch.ones(8))
    assert torch.equal(norm.bias, torch.zeros(8))


def _stack() -> nn.ModuleDict:
    table = nn.Embedding(500, 64)
    block = BlockConfig(dim=64, heads=4, mlp_dim=256)
    return nn.ModuleDict(
        {
            "table": table,
            "positions": Positions("learned", 200, 64),
            "fixed": Positions("sinusoidal", 200, 64),
            "blocks": nn.ModuleList(Block(block) for _ in range(2)),
            "tied": Output(table.weight, bias=True),
            "own": Output(nn.Parameter(torch.empty(500, 64)), bias=False),
        }
    )


def test_a_normal_beginning_draws_every_matrix_alike_and_leaves_norms_and_computed_vectors() -> None:
    model = _stack()
    fixed = model["fixed"].weight.clone()
    for bias in (part.bias for part in model.modules() if isinstance(part, nn.Linear)):
        nn.init.ones_(bias)
    begin_normal(model, 0.02)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            assert not weight.any()
        elif "norm" in name:
            assert torch.equal(weight, torch.ones_like(weight))
        else:
            assert weight.std().item() == pytest.approx(0.02, rel=0.05), name
    assert torch.equal(model["fixed"].weight, fixed)


def test_what_is_added_to_the_residual_begins_smaller_with_depth() -> None:
    model = _stack()
    begin_normal(model, 0.02, depth=8)
    block = model["blocks"][1]
    for part in (block.attention.out, block.mlp.down):
        assert part.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)
    for part in (block.attention.q, block.mlp.up):
        assert part.weight.std().item() == pytest.approx(0.02, rel=0.05)
