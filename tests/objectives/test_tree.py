"""The hierarchical softmax: every word has a probability, and the loss is its logarithm."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import COUNTS, MODULES, SPECIAL, VOCAB, log_sigmoid, made, text
from torch import Tensor

from glassformer.nn.huffman import ways
from glassformer.objectives.windows import CHUNK


@pytest.mark.parametrize("name", MODULES)
def test_the_hierarchical_softmax_is_a_distribution_and_its_loss_the_logarithm_of_it(name: str) -> None:
    model, objective = made(name, told_by="nodes", window=2, sample=0)
    found = ways(np.where(np.arange(VOCAB) < SPECIAL, 0, COUNTS))
    vectors, nodes = model.input.weight.detach(), model.output.weight.detach()

    def logp(vector: Tensor, word: int) -> Tensor:
        there = found.turns[word] != 0
        turns = torch.from_numpy(found.turns[word][there])
        return log_sigmoid(turns * (nodes[found.nodes[word][there]] @ vector)).sum()

    everything = torch.stack([logp(vectors[5], word) for word in range(VOCAB)])
    torch.testing.assert_close(everything.exp().sum(), torch.ones((), dtype=torch.double))
    batch = objective.collate(rows(text(40)), np.random.default_rng(0))
    expected, count = torch.zeros((), dtype=torch.double), 0
    for chunk, place in product(range(len(batch["words"])), range(CHUNK)):
        seen = [batch["words"][chunk, place + o] for o in torch.nonzero(batch["pairs"][chunk, place])[:, 0]]
        if seen:
            word = int(batch["words"][chunk, place + 2])
            around = [vectors[other] for other in seen]
            read = around if name == "skip_gram" else [torch.stack(around).mean(0)]
            expected = expected - sum(logp(vector, word) for vector in read)
            count += len(read)
    assert batch.count == count > 0
    torch.testing.assert_close(objective.loss(model, batch).total, expected)


def test_with_whole_each_word_around_gets_all_of_the_gradient_of_the_mean() -> None:
    slopes = []
    for whole in (False, True):
        torch.manual_seed(0)
        model, objective = made("cbow", told_by="nodes", window=1, sample=0, whole=whole)
        loss = objective.loss(model, objective.collate(rows([5, 6, 7]), np.random.default_rng(0))).total
        slopes.append(torch.autograd.grad(loss, model.input.weight)[0].to_dense())
    # 6 is seen by 5 and by 7, each of which sees nothing else; 5 and 7 are seen by 6 alone, two for one mean.
    torch.testing.assert_close(slopes[1][6], slopes[0][6])
    torch.testing.assert_close(slopes[1][[5, 7]], 2 * slopes[0][[5, 7]])
    assert slopes[0][[5, 7]].abs().min() > 0
