"""Image classification: normalised channels first, augmentation in training only, and the loss."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example, Features
from glassformer.objectives.image import Config, Objective
from glassformer.objectives.objective import Objective as Protocol

RNG = np.random.default_rng(0)
SIZES = {"image_size": (2, 3), "channels": 3}


class Linear(nn.Module):
    """Scores straight from the pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(18, 4)

    def hidden(self, batch: Any) -> Tensor:
        """The pixels."""
        return batch["images"].flatten(1)

    def forward(self, batch: Any) -> Tensor:
        """Scores of the classes."""
        return self.output(self.hidden(batch))


def _objective(smoothing: float = 0.0, augment: Any = None, **numbers: Any) -> Objective:
    config = SimpleNamespace(**(SIZES | numbers))
    return Objective(Config(label_smoothing=smoothing), numbers=config, tokenizers=None, augment=augment)


def _features(count: int = 5) -> list[Features]:
    images = np.random.default_rng(4).integers(0, 256, (count, 2, 3, 3), dtype=np.uint8)
    examples = [Example({"image": image, "label": at % 4}, "x") for at, image in enumerate(images)]
    return _objective().encode(examples, None)


def test_it_is_an_objective_that_needs_eyes() -> None:
    assert isinstance(_objective(), Protocol)
    assert (Objective.needs, Objective.reads, Objective.answers) == (("sees",), "images", None)


def test_an_example_is_its_bytes_and_its_class() -> None:
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    (found,) = _objective().encode([Example({"image": image, "label": 3}, "x")], None)
    assert found.arrays["image"].tolist() == list(range(18))
    assert found.arrays["label"].tolist() == [3]


@pytest.mark.parametrize(
    ("numbers", "mean", "std"),
    [
        ({}, [0.5] * 3, [0.5] * 3),
        ({"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}, [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]),
        ({"mean": (0.25,), "std": (0.5,)}, [0.25] * 3, [0.5] * 3),
    ],
)
def test_images_are_normalised_with_channels_first(numbers: Any, mean: list[float], std: list[float]) -> None:
    features = _features()
    batch = _objective(**numbers).collate(features, RNG)
    assert batch["images"].shape == (5, 3, 2, 3)
    assert batch["labels"].tolist() == [0, 1, 2, 3, 0]
    assert batch.count == 5
    for channel in range(3):
        raw = features[1].arrays["image"].reshape(2, 3, 3)[..., channel] / 255
        wanted = torch.tensor((raw - mean[channel]) / std[channel], dtype=torch.float32)
        torch.testing.assert_close(batch["images"][1, channel], wanted)


def test_images_are_augmented_in_training_only_by_the_chance_of_the_stream() -> None:
    def shift(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.roll(images, int(rng.integers(1, 3)), axis=2)

    objective, features = _objective(augment=shift), _features()
    plain = objective.collate(features, np.random.default_rng(1))
    one, same = (objective.collate_training(features, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(one["images"], same["images"])
    assert not torch.equal(one["images"], plain["images"])
    without = _objective().collate_training(features, np.random.default_rng(1))
    assert torch.equal(without["images"], plain["images"])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_summed_smoothed_cross_entropy(smoothing: float) -> None:
    objective, model = _objective(smoothing), Linear().train()
    batch = objective.collate(_features(), RNG)
    found = objective.loss(model, batch)
    options = {"reduction": "sum"}
    scores = model(batch)
    wanted = functional.cross_entropy(scores, batch["labels"], label_smoothing=smoothing, **options)
    torch.testing.assert_close(found.total, wanted)
    torch.testing.assert_close(
        found.parts["nll"], functional.cross_entropy(scores, batch["labels"], **options).detach()
    )
    assert found.parts["accuracy"] == (scores.argmax(-1) == batch["labels"]).sum()
    measured = objective.loss(model.eval(), batch)
    torch.testing.assert_close(measured.total.detach(), measured.parts["nll"])


def test_a_split_batch_has_the_same_sum() -> None:
    objective, model, features = _objective(), Linear(), _features()
    whole = objective.loss(model, objective.collate(features, RNG))
    parts = [objective.loss(model, objective.collate(some, RNG)) for some in (features[:2], features[2:])]
    torch.testing.assert_close(whole.total, parts[0].total + parts[1].total)
    assert whole.parts["accuracy"] == parts[0].parts["accuracy"] + parts[1].parts["accuracy"]


def test_it_answers_with_the_likeliest_class() -> None:
    objective, model = _objective(), Linear()
    batch: Batch = objective.collate(_features(), RNG)
    assert torch.equal(objective.predict(model, batch), model(batch).argmax(-1))


def test_a_model_without_a_classifier_is_one_sentence() -> None:
    with pytest.raises(UserError, match=r"not head: pooler; set model\.head=classifier"):
        _objective(head="pooler")
