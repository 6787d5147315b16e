"""Several labels: yes or no to each, and the threshold that serves a set best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassformer.data.example import Batch, Example
from glassformer.models import gpt
from glassformer.objectives.multi_label import Config, Objective

RNG = np.random.default_rng(0)
FACTS = {"labels": ("a", "b", "c"), "counts": (1, 1, 2), "called": "label", "texts": 1}


def made(**settings: Any) -> Any:
    config = Config(**settings)
    head = Objective.head(config, facts=FACTS, ability="generates", width=16, max_length=6)
    return head, Objective(config, numbers=gpt.Config(), tokenizers=None, head=head)


class Said(nn.Module):
    """A model that says what it was told to."""

    def __init__(self, scores: Tensor, head: Any) -> None:
        super().__init__()
        self.scores, self.head = scores, head

    def forward(self, batch: Batch) -> Tensor:
        return self.scores


def test_an_answer_is_a_yes_or_a_no_to_every_label_and_counts_so() -> None:
    head, objective = made()
    assert (head.tells, head.labels, head.outputs) == ("labels", ("a", "b", "c"), 3)
    rows = [objective.telling.stored(Example({"label": label}, "x:1")) for label in (("c", "a"), (), "b")]
    truth = objective.telling.batched(rows)
    assert truth.tolist() == [[True, False, True], [False] * 3, [False, True, False]]
    scores = torch.tensor([[2.0, -1.0, 0.0], [0.0, -3.0, 1.0], [1.0, 1.0, -1.0]])
    batch = Batch({"labels": truth}, truth.numel())
    model = Said(scores, head).eval()
    wanted = functional.binary_cross_entropy_with_logits(scores, truth.float(), reduction="sum")
    torch.testing.assert_close(objective.loss(model, batch).total, wanted)
    assert objective.predict(model, batch).tolist() == (scores >= 0).tolist()
    loss, told = objective.told(model, batch)
    torch.testing.assert_close(loss.parts["nll"], wanted)
    assert told[0]["true"].tolist() == [True, False, True]
    assert told[0]["told"].tolist() == [True, False, True]
    assert told[1]["share"] == pytest.approx(scores[1].double().sigmoid().numpy())


def test_training_smooths_towards_even_and_weighs_labels() -> None:
    head, objective = made(label_smoothing=0.2, class_weights={"b": 3})
    truth = torch.tensor([[True, False, False]])
    scores = torch.tensor([[1.0, 2.0, -1.0]])
    batch = Batch({"labels": truth}, 3)
    model = Said(scores, head)
    wanted = torch.tensor([[0.9, 0.1, 0.1]])
    each = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
    torch.testing.assert_close(
        objective.loss(model.train(), batch).total, (each * torch.tensor([1, 3, 1])).sum()
    )
    plain = functional.binary_cross_entropy_with_logits(scores, truth.float(), reduction="sum")
    torch.testing.assert_close(objective.loss(model.eval(), batch).total, plain)


def test_a_label_is_told_from_the_threshold_of_the_head_on() -> None:
    head, _ = made()
    scores = torch.tensor([[-1.0, -2.0, -9.0]])
    batch = Batch({"labels": torch.tensor([[True, True, False]])}, 3)
    for threshold, told in ((0.5, [False] * 3), (0.1, [True, True, False])):
        settled = head.model_copy(update={"threshold": threshold})
        objective = Objective(Config(), numbers=gpt.Config(), tokenizers=None, head=settled)
        assert objective.predict(Said(scores, settled).eval(), batch).tolist() == [told]
