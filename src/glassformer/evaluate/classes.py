"""How well labels are told: which were taken for which, accuracy, and F1 of every label alike."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Int
from torch import nn

from glassformer.data.example import Batch
from glassformer.evaluate.perplexity import resting
from glassformer.nn.cross_entropy import IGNORED
from glassformer.objectives.objective import Objective

Answers = tuple[np.ndarray, np.ndarray]
"""The labels of a text or of its words as they are, and as they were told."""


@torch.no_grad()
def answers(
    model: nn.Module, objective: Objective, batches: Iterable[Batch], device: torch.device
) -> Iterable[Answers]:
    """For every row of the batches its true labels and those that the model tells, in evaluation mode."""
    with resting(model):
        for batch in batches:
            told = objective.predict(model, batch.to(device)).cpu()
            labels = batch["labels"]
            for one, other in zip(labels.reshape(len(labels), -1), told.reshape(len(told), -1), strict=True):
                real = one != IGNORED
                yield one[real].numpy(), other[real].numpy()


def confusion(pairs: Iterable[Answers], labels: int) -> Int[np.ndarray, "true told"]:
    """How often each label was taken for each."""
    table = np.zeros((labels, labels), dtype=np.int64)
    for true, told in pairs:
        np.add.at(table, (true, told), 1)
    return table


def macro_f1(table: Int[np.ndarray, "true told"]) -> float:
    """The mean of the labels' F1, each counting alike; labels that are neither there nor told are left out.

        F1 = 2·right / (true + told)

    >>> macro_f1(np.array([[3, 1], [0, 0]]))  # 6/7 of the first, 0 of the second
    0.42857142857142855
    """
    true, told, right = table.sum(1), table.sum(0), table.diagonal()
    there = true + told > 0
    if not there.any():
        return 0.0
    return float((2 * right[there] / (true + told)[there]).mean())
