"""CBOW: an answer is a word that has others around it, told by their mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.objectives.language_rows import rows
from tests.objectives.word_rows import END, made

from glassformer.data.example import Batch


def test_every_word_with_others_around_it_is_an_answer() -> None:
    _, objective = made("cbow", window=1, sample=0)
    batch = objective.collate(rows([5, 6, 7, END, 8, 9, END, 10]), np.random.default_rng(0))
    assert batch.count == 5  # 10 is alone


def test_the_order_of_those_around_a_word_does_not_matter() -> None:
    model, objective = made("cbow", window=1, sample=0)
    losses = []
    for row in ([5, 6, 7], [7, 6, 5]):
        drawn = objective.collate(rows(row), np.random.default_rng(0))
        batch = Batch({**drawn, "weights": torch.zeros_like(drawn["weights"])}, drawn.count)
        losses.append(float(objective.loss(model, batch).total.detach()))
    assert losses[0] == pytest.approx(losses[1])
