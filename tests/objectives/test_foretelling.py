"""What is foretold: the cross-entropy of the labels, summed over those that count."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from glassformer.data.example import Batch
from glassformer.models.gpt import Config, Model
from glassformer.objectives.foretelling import Foretelling


def _model() -> Any:
    torch.manual_seed(0)
    return Model(Config(dim=16, depth=1, heads=2, mlp_dim=32, vocab_size=20, max_length=12)).eval()


def test_the_loss_is_the_cross_entropy_of_the_labels_that_count() -> None:
    model, objective = _model(), Foretelling()
    tokens, labels = torch.randint(0, 20, (3, 9)), torch.randint(0, 20, (3, 9))
    labels[0, 4:] = labels[2, 1] = -100
    batch = Batch({"tokens": tokens, "labels": labels}, int((labels != -100).sum()))
    found = objective.loss(model, batch)
    wanted = functional.cross_entropy(model(batch).flatten(0, 1), labels.flatten(), reduction="sum")
    torch.testing.assert_close(found.total, wanted, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.parts["nll"], wanted, rtol=1e-5, atol=1e-5)


def test_what_is_foretold_is_the_likeliest_token_of_every_place() -> None:
    model = _model()
    batch = Batch({"tokens": torch.randint(0, 20, (2, 5))}, 10)
    assert torch.equal(Foretelling().predict(model, batch), model(batch).argmax(-1))
