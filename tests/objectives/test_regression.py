"""Numbers: kept in their scale through a store of integers, squared errors, and what is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example
from glassformer.models import gpt
from glassformer.objectives.regression import Config, Objective

FACTS = {"labels": ("0", "4.9"), "counts": (1, 1), "called": "score", "texts": 1}


def made() -> Any:
    head = Objective.head(Config(), facts=FACTS, ability="encodes", width=16, max_length=6)
    return head, Objective(Config(), numbers=gpt.Config(), tokenizers=None, head=head)


class Said(nn.Module):
    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, batch: Batch) -> Tensor:
        return self.scores


def test_a_number_has_one_score_and_the_name_of_its_column() -> None:
    head, objective = made()
    assert (head.tells, head.labels, head.outputs, head.pool, head.weights) == (
        "number",
        ("score",),
        1,
        "first",
        (),
    )
    assert objective.needs == ("generates", "encodes", "contextualizes")


def test_numbers_keep_their_scale() -> None:
    _, objective = made()
    texts = ["4.9", "-3e5", "0", "1e-20", "65536", "2.5"]
    stored = [objective.telling.stored(Example({"label": text}, "x:1")) for text in texts]
    assert all(one.dtype == np.int32 for one in stored)
    kept = [one.astype(np.int64) for one in stored]  # as a store gives integers back
    found = objective.telling.batched(kept)
    assert found.tolist() == [float(np.float32(text)) for text in texts]


def test_the_loss_is_the_squared_error_and_the_answer_the_number() -> None:
    _, objective = made()
    batch = Batch({"labels": torch.tensor([4.0, -1.0])}, 2)
    model = Said(torch.tensor([[3.0], [1.0]])).eval()
    found, told = objective.told(model, batch)
    assert float(found.total) == 1.0 + 4.0
    assert float(found.parts["absolute_error"]) == 1.0 + 2.0
    assert objective.predict(model, batch).tolist() == [3.0, 1.0]
    assert [one["told"].tolist() for one in told] == [[3.0], [1.0]]
    assert [one["true"].tolist() for one in told] == [[4.0], [-1.0]]


@pytest.mark.parametrize("label", ["good", "nan", "inf", "1e99", ("1", "2")])
def test_what_is_no_number_is_told_with_its_line(label: Any) -> None:
    with pytest.raises(UserError, match=r"^x:7: .* is no number; a number is to be told of every text"):
        made()[1].telling.stored(Example({"label": label}, "x:7"))
