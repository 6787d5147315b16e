"""Rows of running text: what objectives that learn language from it have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassformer.data.blocks import crop
from glassformer.data.example import Batch, Example, Features
from glassformer.text.tokenizer import TokenizerPair


class Rows(ABC):
    """An objective over rows of running text; ``_batch`` says what is learned of them."""

    reads = "text"
    frame = "none"
    answers = "tokens"
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
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

    @abstractmethod
    def _batch(self, rows: list[np.ndarray]) -> Batch:
        """What is learned of rows of tokens."""


def running(examples: Sequence[Example], tokenizers: TokenizerPair, eos_id: int) -> list[Features]:
    """The ids of pieces of documents (``text``, ``first``, ``last``), each document closed by ``eos_id``."""
    fields = [example.fields for example in examples]
    rows = tokenizers.source.encode_running([(one["text"], one["first"]) for one in fields])
    closed = ([*row, eos_id] if one["last"] else row for row, one in zip(rows, fields, strict=True))
    return [Features({"tokens": np.array(row, dtype=np.int32)}) for row in closed]
