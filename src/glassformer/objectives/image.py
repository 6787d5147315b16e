"""Image classification: which class an image shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import cross_entropy
from glassformer.objectives.objective import Loss
from glassformer.text.tokenizer import TokenizerPair

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Images as bytes, rows × height × width × channels, to others of the same shape."""

MEAN = STD = 0.5  # of files that say nothing else, as the Vision Transformer's


class Config(Settings):
    """``label_smoothing`` is the share of the target spread over all classes (Szegedy et al. 2016)."""

    name: Literal["image"] = "image"
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class Objective:
    """The summed cross-entropy of the class of every image (Dosovitskiy et al. 2021, §3.1).

    Images come as bytes, flat, and are handed to the model as (byte / 255 - mean) / std with channels first.
    ``mean`` and ``std`` of each channel are those of the model's configuration. ``augment`` changes the bytes
    of a batch in training, with the chance that it is handed.
    """

    needs: tuple[str, ...] = ("sees",)
    reads = "images"
    frame = "none"
    answers = None

    def __init__(
        self,
        config: Config,
        *,
        numbers: Any,
        tokenizers: TokenizerPair | None = None,
        augment: Augment | None = None,
    ) -> None:
        del tokenizers
        if getattr(numbers, "head", "classifier") != "classifier":
            raise UserError(
                f"image needs a model that scores classes, not head: {numbers.head}; "
                "set model.head=classifier"
            )
        self.config, self.augment = config, augment
        size = numbers.image_size
        height, width = (size, size) if isinstance(size, int) else size
        self.shape = (height, width, numbers.channels)
        self.mean = _channels(getattr(numbers, "mean", None) or MEAN, numbers.channels)
        self.std = _channels(getattr(numbers, "std", None) or STD, numbers.channels)

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair | None) -> list[Features]:
        """The bytes of each image and the number of its class."""
        del tokenizers
        return [_features(example) for example in examples]

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Normalised images as they are, and labels; no chance is used."""
        return self._batch(self._images(features), features)

    def collate_training(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """The same of augmented images."""
        images = self._images(features)
        return self._batch(images if self.augment is None else self.augment(images, rng), features)

    def _images(self, features: Sequence[Features]) -> UInt8[np.ndarray, "rows height width channels"]:
        flat = np.stack([row.arrays["image"] for row in features])
        return flat.reshape(len(features), *self.shape).astype(np.uint8)

    def _batch(
        self, images: UInt8[np.ndarray, "rows height width channels"], features: Sequence[Features]
    ) -> Batch:
        values = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        labels = torch.tensor([int(row.arrays["label"][0]) for row in features])
        return Batch({"images": (values - self.mean) / self.std, "labels": labels}, len(features))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss, smoothed in training; parts ``nll`` in nats, ``accuracy`` the right ones."""
        asked: Any = model
        hidden: Float[Tensor, "rows dim"] = asked.hidden(batch)
        output = asked.output
        smoothing = self.config.label_smoothing if model.training else 0.0
        total, plain = cross_entropy(hidden, output.weight, output.bias, batch["labels"], smoothing)
        with torch.no_grad():
            right = (output(hidden).argmax(-1) == batch["labels"]).sum()
        return Loss(total, {"nll": plain, "accuracy": right})

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The most probable class of every image."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted


def _channels(values: Any, channels: int) -> Float[Tensor, "channels 1 1"]:
    """A number for each channel, where one may stand for all."""
    found = torch.tensor(values, dtype=torch.float32).reshape(-1)
    return found.expand(channels)[:, None, None] if len(found) == 1 else found[:, None, None]


def _features(example: Example) -> Features:
    image = np.ascontiguousarray(example.fields["image"], dtype=np.uint8).reshape(-1)
    return Features({"image": image, "label": np.array([example.fields["label"]], dtype=np.int32)})
