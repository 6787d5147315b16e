"""Confusions and macro F1 against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from glassformer.data.example import Batch
from glassformer.evaluate.classes import answers, confusion, macro_f1
from glassformer.objectives.classification import Objective

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_confusions_and_macro_f1_are_those_of_scikit_learn(labels: int) -> None:
    chance = np.random.default_rng(labels)
    true, told = chance.integers(0, labels, 40), chance.integers(0, labels, 40)
    table = confusion([(true[:10], told[:10]), (true[10:], told[10:])], labels)
    assert table.tolist() == metrics.confusion_matrix(true, told, labels=range(labels)).tolist()
    assert macro_f1(table) == pytest.approx(metrics.f1_score(true, told, average="macro"))


def test_labels_that_nobody_has_and_nobody_tells_count_nothing() -> None:
    true, told = np.array([0, 0, 3]), np.array([0, 3, 3])
    table = confusion([(true, told)], 5)
    assert macro_f1(table) == pytest.approx(metrics.f1_score(true, told, average="macro"))
    assert macro_f1(np.zeros((2, 2), dtype=np.int64)) == 0.0


class _Fixed(nn.Module):
    def forward(self, batch: Batch) -> torch.Tensor:
        return torch.nn.functional.one_hot(batch["tokens"] % 3, 3).float()


def test_places_without_a_label_are_no_answers_and_the_mode_is_put_back() -> None:
    tensors = {"tokens": torch.tensor([[1, 2, 3]]), "labels": torch.tensor([[2, -100, 0]])}
    model = _Fixed().train()
    learner = Objective.__new__(Objective)
    ((true, told),) = answers(model, learner, [Batch(tensors, 2)], torch.device("cpu"))
    assert (true.tolist(), told.tolist()) == ([2, 0], [1, 0])
    assert model.training
