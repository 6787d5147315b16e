"""Similarity of sentences: one vector for each text by itself, whose cosine says how alike two are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.config import Settings
from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.headed import Head
from glassformer.objectives.framing import framed
from glassformer.objectives.labelling import BODIES
from glassformer.objectives.objective import Loss, Told
from glassformer.objectives.pair import check_two
from glassformer.objectives.telling import Number
from glassformer.objectives.texts import texts_of
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """``pool`` says what the vector of a text is: the mean of its hidden states, or its first or last.

    ``scale`` are the numbers that stand for a cosine of 0 and of 1; without it the smallest and the largest
    of the training data do. ``dropout`` is that of the vectors.
    """

    name: Literal["similarity"] = "similarity"
    pool: Literal["mean", "first", "last"] = "mean"
    scale: tuple[float, float] | None = None
    dropout: float = Field(0.0, ge=0, lt=1)


class Objective:
    """The summed squared error between the cosine of two texts and how alike they are said to be.

        loss = Σ_rows (cos(u, v) - (y - low) / (high - low))²               (Reimers & Gurevych 2019, §3)

    Both texts go through one body, each by itself, so that a text's vector serves for every comparison.
    """

    needs: tuple[str, ...] = BODIES
    reads = "labelled"
    frame = "both"
    answers: str | None = None
    shaping: tuple[str, ...] = ()
    judge = "numbers"
    labels: tuple[str, ...] = ()

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        del tokenizers  # the model's configuration has the id of the padding
        self.config, self.longest, self.pad_id = config, head.max_length, numbers.pad_id
        self.scale = head.scale or (0.0, 1.0)

    @staticmethod
    def head(
        config: Config,
        *,
        facts: Mapping[str, Any],
        ability: str,  # noqa: ARG004 - every body has a state for every token
        width: int,
        max_length: int,
    ) -> Head:
        """No layer at all: the pooled state is the vector. UserError for data with one text in a row."""
        check_two(config.name, facts)
        return Head(
            objective=config.name,
            ability="compares",
            pool=config.pool,
            labels=(),
            outputs=0,
            width=width,
            max_length=max_length,
            dropout=config.dropout,
            tells="number",
            texts=2,
            scale=config.scale or _range(facts["labels"]),
        )

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of both texts, each in its frame, and the number of the two; UserError for what is none."""
        flat = [text for one in examples for text in texts_of(one, 2)]
        rows = [np.array(row.tokens, np.int32) for row in framed(flat, tokenizers.source, self.longest)]
        return [
            Features({"tokens": first, "pair": second, "answer": TOLD.stored(one)})
            for first, second, one in zip(rows[::2], rows[1::2], examples, strict=True)
        ]

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """All first texts, then all second ones, as rows of one table, and the cosines they should have."""
        rows = [row.arrays[name] for name in ("tokens", "pair") for row in features]
        low, high = self.scale
        told = TOLD.batched([row.arrays["answer"] for row in features])
        tensors = {"tokens": pad(rows, self.pad_id), "labels": (told - low) / (high - low)}
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        return Batch(tensors, len(features))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed squared error; part ``absolute_error``, in cosines."""
        return TOLD.loss(cosines(model(batch)), batch["labels"], training=model.training)

    def told(self, model: nn.Module, batch: Batch) -> tuple[Loss, list[Told]]:
        """The loss, and the cosine of each row beside that which it should have."""
        found = cosines(model(batch))
        loss = TOLD.loss(found, batch["labels"], training=model.training)
        return loss, TOLD.told(found.double(), batch["labels"])

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The cosine of every two texts."""
        return cosines(model(batch))


TOLD = Number()
"""A cosine is stored, batched and scored as any number."""


def cosines(vectors: Float[Tensor, "both width"]) -> Float[Tensor, " rows"]:
    """The cosine of each vector of the first half with its mate of the second, in float32."""
    first, second = vectors.float().chunk(2)
    return functional.cosine_similarity(first, second, dim=-1)


def _range(labels: Sequence[str]) -> tuple[float, float] | None:
    """The smallest and the largest number; None where one is none, which is told when it is read."""
    try:
        values = [float(label) for label in labels]
    except ValueError:
        return None
    return min(values), max(values)
