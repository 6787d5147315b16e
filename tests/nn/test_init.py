"""Beginnings: matrices by Xavier, biases zero, token vectors of variance 1 / dim."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassformer.nn.init import begin


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
