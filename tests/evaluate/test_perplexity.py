"""Perplexity: the plain negative log-likelihood, however the text was cut into batches."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from glassformer.base.errors import RunError, UserError
from glassformer.data.example import Batch, Example, Features
from glassformer.evaluate.perplexity import Perplexity, measure
from glassformer.objectives.objective import Loss


class Smoothed:
    """A tiny objective whose total is label-smoothed and whose part ``nll`` is not."""

    needs: tuple[str, ...] = ("encodes",)
    reads = "text"
    frame = "none"
    answers = None

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def encode(self, examples: Sequence[Example], tokenizers: Any) -> list[Features]:
        raise AssertionError("measuring asks for the loss alone")

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        raise AssertionError("measuring asks for the loss alone")

    def predict(self, model: nn.Module, batch: Batch) -> Any:
        raise AssertionError("measuring asks for the loss alone")

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        scores, labels = model(batch["x"]), batch["labels"]
        total = cross_entropy(scores, labels, reduction="sum", label_smoothing=self.smoothing)
        plain = cross_entropy(scores, labels, reduction="sum")
        return Loss(total, {"nll": plain} if self.smoothing else {})


def model_and_data() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.5), nn.Linear(16, 6))
    labels = torch.randint(0, 6, (12,))
    labels[3] = -100
    return model, torch.randn(12, 4), labels


def batches(x: torch.Tensor, labels: torch.Tensor, size: int) -> list[Batch]:
    pairs = zip(x.split(size), labels.split(size), strict=True)
    return [Batch({"x": a, "labels": b}, int((b != -100).sum())) for a, b in pairs]


def test_the_loss_is_the_mean_over_answers_without_dropout() -> None:
    model, x, labels = model_and_data()
    found = measure(model, Smoothed(), batches(x, labels, 12))
    assert found.tokens == 11
    with torch.no_grad():
        assert found.loss == pytest.approx(float(cross_entropy(model.eval()(x), labels)), rel=1e-6)
    assert found.perplexity == pytest.approx(math.exp(found.loss))


def test_label_smoothing_is_left_out() -> None:
    model, x, labels = model_and_data()
    plain = measure(model, Smoothed(), batches(x, labels, 4))
    assert measure(model, Smoothed(0.3), batches(x, labels, 4)) == plain


@pytest.mark.parametrize("size", [1, 5, 12])
def test_the_cut_into_batches_changes_nothing(size: int) -> None:
    model, x, labels = model_and_data()
    whole = measure(model, Smoothed(), batches(x, labels, 12))
    assert measure(model, Smoothed(), batches(x, labels, size)).nats == pytest.approx(whole.nats, rel=1e-6)


def test_every_module_is_left_in_its_own_mode_and_without_gradients() -> None:
    model, x, labels = model_and_data()
    model.train()
    next(model.children()).eval()
    measure(model, Smoothed(), batches(x, labels, 4), device=torch.device("cpu"))
    assert [module.training for module in model] == [False, True, True]
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_mode_comes_back_after_an_error_too() -> None:
    model, _, _ = model_and_data()
    model.train()
    with pytest.raises(KeyError):
        measure(model, Smoothed(), [Batch({}, 1)])
    assert model.training


def test_bits_per_character_follow_from_the_characters() -> None:
    assert Perplexity(nats=8 * math.log(2), tokens=2, characters=4).bits_per_character == pytest.approx(2.0)
    assert Perplexity(nats=8.0, tokens=2).bits_per_character is None


def test_a_uniform_model_is_as_perplexed_as_its_vocabulary_is_large() -> None:
    assert Perplexity(nats=10 * math.log(50), tokens=10).perplexity == pytest.approx(50)


def test_json_stays_json_when_the_perplexity_passes_all_floats() -> None:
    huge = Perplexity(nats=1e6, tokens=1)
    assert huge.perplexity == math.inf
    assert json.loads(json.dumps(huge.as_json(), allow_nan=False))["perplexity"] is None


def test_no_batches_and_no_answers_are_refused() -> None:
    model, x, _ = model_and_data()
    with pytest.raises(UserError, match="no tokens"):
        measure(model, Smoothed(), [])
    with pytest.raises(UserError, match="no tokens"):
        measure(model, Smoothed(), batches(x, torch.full((12,), -100), 6))


def test_a_loss_that_is_not_a_number_names_its_batch() -> None:
    model, x, labels = model_and_data()
    x[7] = math.nan
    with pytest.raises(RunError, match="batch 2 is not a number"):
        measure(model, Smoothed(), batches(x, labels, 4))
