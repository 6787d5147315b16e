"""Embedding and output: scaled token vectors plus positions in, scores of the vocabulary out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassformer.nn.embedding import Embedding, Output
from glassformer.nn.position import Positions


def _embedding(kind: str = "sinusoidal", dropout: float = 0.0) -> Embedding:
    positions = Positions(kind, 10, 8)
    if kind == "learned":
        nn.init.normal_(positions.weight)
    return Embedding(nn.Embedding(20, 8), positions, scale=8**0.5, dropout=dropout)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
@pytest.mark.parametrize("start", [0, 4])
def test_tokens_become_scaled_vectors_plus_their_positions(kind: str, start: int) -> None:
    embed = _embedding(kind)
    tokens = torch.tensor([[3, 5, 3], [1, 1, 19]])
    vectors = embed(tokens, start)
    for row in range(2):
        for place in range(3):
            wanted = embed.table.weight[tokens[row, place]] * 8**0.5 + embed.positions.weight[start + place]
            torch.testing.assert_close(vectors[row, place], wanted)


def test_tokens_may_stand_at_positions_of_their_own() -> None:
    embed = _embedding("learned")
    tokens, start = torch.tensor([[3, 5], [3, 5]]), torch.tensor([[0, 1], [6, 2]])
    vectors = embed(tokens, start)
    wanted = embed.table.weight[tokens] * 8**0.5 + embed.positions.weight[start]
    torch.testing.assert_close(vectors, wanted)


def test_dropout_falls_on_the_sum_and_only_in_training() -> None:
    embed = _embedding(dropout=0.5)
    tokens = torch.ones(4, 10, dtype=torch.long)
    assert bool((embed.train()(tokens) == 0).any())
    assert torch.equal(embed.eval()(tokens), _same(embed, tokens))


def _same(embed: Embedding, tokens: torch.Tensor) -> torch.Tensor:
    return embed.table(tokens) * embed.scale + embed.positions(0, tokens.shape[1])


def test_positions_take_the_type_of_the_vectors() -> None:
    embed = _embedding().to(torch.bfloat16)
    assert embed(torch.ones(1, 2, dtype=torch.long)).dtype == torch.bfloat16


def test_scores_are_the_products_with_every_words_vector() -> None:
    table = nn.Embedding(20, 8)
    output = Output(table.weight, bias=True)
    assert output.weight is table.weight
    assert output.bias is not None
    nn.init.normal_(output.bias)
    hidden = torch.randn(2, 3, 8)
    torch.testing.assert_close(output(hidden), hidden @ table.weight.T + output.bias)
    assert output(hidden[0, 0]).shape == (20,)


def test_without_a_bias_there_is_none_and_with_one_it_begins_at_zero() -> None:
    table = nn.Embedding(20, 8)
    assert [name for name, _ in Output(table.weight, bias=False).named_parameters()] == ["weight"]
    bias = Output(table.weight, bias=True).bias
    assert bias is not None
    assert not bias.any()
