"""The bidirectional language model: the next token from those before it, the one before from those after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.data.batch import keep, pad
from glassformer.data.blocks import crop
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import IGNORED, cross_entropy
from glassformer.objectives.causal_lm import running
from glassformer.objectives.objective import Loss
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """``separate`` lets no token look into another document; documents are told by their end."""

    name: Literal["bidirectional_lm"] = "bidirectional_lm"
    separate: bool = False


class Objective:
    """The summed cross-entropy of both directions (Peters et al. 2018, §3.1).

    ::

        row        the  cat     sleeps  </s>
        labels     cat  sleeps  </s>     -      forward
                    -   the     cat     sleeps  backward

    Every inner token is foretold twice and counts twice, so that the mean is that of the two directions.
    """

    needs = ("contextualizes",)
    reads = "text"
    frame = "none"
    answers = "tokens"
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        del tokenizers  # the model's configuration has all the ids
        self.config = config
        self.pad_id, self.eos_id = numbers.pad_id, numbers.eos_id
        self.longest = numbers.max_length + 1

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each piece of a document, and the end behind its last piece."""
        return running(examples, tokenizers, self.eos_id)

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Rows as they stand, of a length that the model reads; no chance is used."""
        return self._batch([row.arrays["tokens"][: self.longest] for row in features])

    def collate_training(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """Each row cropped at a random place, so that no token has its place in every epoch."""
        return self._batch([crop(row.arrays["tokens"], rng)[: self.longest] for row in features])

    def _batch(self, rows: list[np.ndarray]) -> Batch:
        tensors = {"tokens": pad(rows, self.pad_id)}
        tensors["labels"] = torch.stack([_labels(rows, 1), _labels(rows, -1)], dim=-1)
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        if self.config.separate:
            ends = (tensors["tokens"] == self.eos_id).long()
            tensors["documents"] = ends.cumsum(1) - ends
            # The next token of an end and the one before a beginning are another document's.
            borders = tensors["documents"].diff(dim=1) != 0
            tensors["labels"][:, :-1, 0].masked_fill_(borders, IGNORED)
            tensors["labels"][:, 1:, 1].masked_fill_(borders, IGNORED)
        return Batch(tensors, int((tensors["labels"] != IGNORED).sum()))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed negative log-likelihood of both directions, in nats.

        Parts: ``nll`` is the same; ``forward`` and ``backward`` are twice that of a direction: each has half
        of the answers.
        """
        asked: Any = model
        parts, total = {}, torch.zeros(())
        for place, (name, hidden) in enumerate(zip(("forward", "backward"), asked.both(batch), strict=True)):
            labels = batch["labels"][..., place].flatten()
            output = asked.output
            one, plain = cross_entropy(hidden.flatten(0, 1), output.weight, output.bias, labels)
            total, parts[name] = total.to(one.device) + one, 2 * plain
        return Loss(total, parts | {"nll": total.detach()})

    def predict(self, model: nn.Module, batch: Batch) -> Int[Tensor, "rows token 2"]:
        """The most probable next token and the most probable one before, at every position."""
        asked: Any = model
        return torch.stack([asked.output(hidden).argmax(-1) for hidden in asked.both(batch)], dim=-1)


def _labels(rows: Sequence[np.ndarray], step: int) -> Int[Tensor, "rows token"]:
    """What stands ``step`` places on from every token, where anything does."""
    found = []
    for row in rows:
        labels = np.full(len(row), IGNORED, dtype=np.int64)
        if step > 0:
            labels[:-1] = row[1:]
        else:
            labels[1:] = row[:-1]
        found.append(labels)
    return pad(found, IGNORED)
