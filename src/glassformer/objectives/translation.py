"""Translation: the next word of the target, given the source and the target so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.data.batch import pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import IGNORED, cross_entropy
from glassformer.objectives.objective import Loss
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """``label_smoothing`` is the paper's ε_ls: the share of the target spread over the whole vocabulary."""

    name: Literal["translation"] = "translation"
    label_smoothing: float = Field(0.1, ge=0, lt=1)


class Objective:
    """The summed cross-entropy of every target word and of the end (Vaswani et al. 2017, §5.4).

    ::

        source    그는  잔다  </s>
        target    <s>   he    sleeps
        labels    he    sleeps  </s>
    """

    needs: tuple[str, ...] = ("translates",)
    reads = "pairs"
    frame = "end"
    answers: str | None = "target"
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        del tokenizers  # the model's configuration has all the ids
        self.config = config
        self.pad_id, self.start_id, self.eos_id = numbers.pad_id, numbers.start_id, numbers.eos_id

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """Token ids of both sides, each with the end marked."""
        sides = []
        for name, tokenizer in (("source", tokenizers.source), ("target", tokenizers.target)):
            ids = tokenizer.encode_batch([example.fields[name] for example in examples])
            sides.append([np.array([*row, self.eos_id], dtype=np.int32) for row in ids])
        return [Features({"source": s, "target": t}) for s, t in zip(*sides, strict=True)]

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Padded sources, targets shifted right behind the start token, and labels; no chance is used."""
        source = pad([row.arrays["source"] for row in features], self.pad_id)
        lengths = torch.tensor([len(row.arrays["source"]) for row in features])
        labels = pad([row.arrays["target"] for row in features], IGNORED)
        target = torch.empty_like(labels)
        target[:, 0] = self.start_id
        target[:, 1:] = labels[:, :-1]
        target[target == IGNORED] = self.pad_id
        tensors = {
            "source": source,
            "source_keep": torch.arange(source.shape[1]) < lengths[:, None],
            "target": target,
            "labels": labels,
        }
        return Batch(tensors, sum(len(row.arrays["target"]) for row in features))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The label-smoothed loss; its part ``nll`` is the loss without smoothing, in nats."""
        hidden: Tensor = model.hidden(batch)  # type: ignore[operator]
        output: Any = model.output
        total, plain = cross_entropy(
            hidden.flatten(0, 1),
            output.weight,
            output.bias,
            batch["labels"].flatten(),
            self._smoothing(model),
        )
        return Loss(total, {"nll": plain})

    def _smoothing(self, model: nn.Module) -> float:
        return self.config.label_smoothing if model.training else 0.0

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The most probable next token at every target position under teacher forcing."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted
