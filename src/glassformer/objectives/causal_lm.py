"""The language model: the next token of running text, given all before it, in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.data.batch import pad
from glassformer.data.blocks import crop
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import IGNORED, cross_entropy
from glassformer.objectives.objective import Loss
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """``separate`` lets no token look into another document; documents are told by their end."""

    name: Literal["causal_lm"] = "causal_lm"
    direction: Literal["forward", "backward"] = "forward"
    separate: bool = False


class Objective:
    """The summed cross-entropy of every token given those before it, or backward given those after it.

    ::

        row        the  cat  sleeps  </s>  a  dog
        forward    the  cat  sleeps  </s>  a            backward   dog  a     </s>    sleeps  cat
        labels     cat  sleeps </s>  a     dog          labels     a    </s>  sleeps  cat     the
        documents  0    0    0       1     1                       0    0     1       1       1

    Backward is the same over the row from its end, so that a backward model scores a row as the forward model
    of the same weights scores it reversed (Peters et al. 2018, §3.1). The end of a document stands with what
    is read after it: there, both directions begin a text with ``</s>``.
    """

    needs: tuple[str, ...] = ("generates",)
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
        if self.config.direction == "backward":
            rows = [row[::-1] for row in rows]
        # Padding stands on the right, where nothing that comes before it looks; it needs no mask.
        tensors = {
            "tokens": pad([row[:-1] for row in rows], self.pad_id),
            "labels": pad([row[1:] for row in rows], IGNORED),
        }
        if self.config.separate:
            tensors["documents"] = (tensors["tokens"] == self.eos_id).long().cumsum(1)
        return Batch(tensors, sum(len(row) - 1 for row in rows))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed negative log-likelihood, in nats; its part ``nll`` is the same."""
        hidden: Tensor = model.hidden(batch)  # type: ignore[operator]
        output: Any = model.output
        total, plain = cross_entropy(
            hidden.flatten(0, 1), output.weight, output.bias, batch["labels"].flatten()
        )
        return Loss(total, {"nll": plain})

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The most probable next token at every position."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted


def running(examples: Sequence[Example], tokenizers: TokenizerPair, eos_id: int) -> list[Features]:
    """The ids of pieces of documents (``text``, ``first``, ``last``), each document closed by ``eos_id``."""
    fields = [example.fields for example in examples]
    rows = tokenizers.source.encode_running([(one["text"], one["first"]) for one in fields])
    closed = ([*row, eos_id] if one["last"] else row for row, one in zip(rows, fields, strict=True))
    return [Features({"tokens": np.array(row, dtype=np.int32)}) for row in closed]
