"""Classification: which of a few labels a text has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.headed import Head, Pool
from glassformer.objectives.labelling import LabelConfig, Labelling, framed, number_of, told_labels
from glassformer.objectives.objective import Loss, Told
from glassformer.text.tokenizer import TokenizerPair

POOLS: Mapping[str, Pool] = {"generates": "last", "encodes": "first"}
"""Which token knows the whole text, by what the body can do; elsewhere the mean of all."""


class Config(LabelConfig):
    """``pool`` says which hidden state a text is told by: of its ``last`` or ``first`` token, or their mean.

    ``auto`` is the last token of a body that generates, the first of one that encodes, else the mean. With
    two labels ``outputs: 1`` gives one score, whose sigmoid is the probability of the second label. The rest
    is said by ``LabelConfig``. ``hide`` is the share of a text's tokens that training replaces by the mask,
    or by the unknown piece where there is none, so that no label hangs on one word (Iyyer et al. 2015).
    """

    name: Literal["classification"] = "classification"
    pool: Literal["auto", "last", "first", "mean"] = "auto"
    outputs: Literal[1] | None = None
    hide: float = Field(0.0, ge=0, lt=1)


class Objective(Labelling):
    """The summed cross-entropy of the label of every text, given one vector of it.

    ::

        row     <s>  정말  재밌다  </s>
        label   1

    The body's hidden states come from a model; the head is made here (``head``) and stands on any body.
    """

    reads = "labelled"
    judge = "labels"

    @staticmethod
    def head(config: Config, *, facts: Mapping[str, Any], ability: str, width: int, max_length: int) -> Head:
        """The head for a body of that ability and width, for labels that only the data knows."""
        labels = facts["labels"]
        if config.outputs == 1 and len(labels) != 2:
            raise UserError(
                f"objective.outputs: 1 tells two labels apart, and the data has {len(labels)}; leave it out"
            )
        return Head(
            objective=config.name,
            ability="classifies",
            pool=POOLS.get(ability, "mean") if config.pool == "auto" else config.pool,
            labels=labels,
            outputs=config.outputs or len(labels),
            width=width,
            max_length=max_length,
            dropout=config.dropout,
        )

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each text in its frame and the number of its label; UserError for a label never seen."""
        ids = tokenizers.source.encode_batch([example.fields["text"] for example in examples])
        rows = (framed(tokenizers.source, row, self.longest) for row in ids)
        return [
            Features(
                {
                    "tokens": np.array(row, dtype=np.int32),
                    "label": np.array([number_of(one.fields["label"], self.labels, one.where)]),
                }
            )
            for row, one in zip(rows, examples, strict=True)
        ]

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        super().__init__(config, numbers=numbers, tokenizers=tokenizers, head=head)
        self.hidden: int | None = None
        if config.hide and tokenizers is not None:
            tokenizer = tokenizers.source
            self.hidden = tokenizer.unk_id if tokenizer.mask_id is None else tokenizer.mask_id
            self.spared = np.array(sorted(tokenizer.specials_ids()))
            if self.hidden is None:
                raise UserError("objective.hide needs a tokenizer with a mask or an unknown piece")

    def collate_training(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """The same, with some tokens hidden by chance; those of the frame never are."""
        if self.hidden is None:
            return self.collate(features, rng)
        return self.collate([self._with_some_hidden(row, self.hidden, rng) for row in features], rng)

    def _with_some_hidden(self, row: Features, mark: int, rng: np.random.Generator) -> Features:
        tokens = row.arrays["tokens"]
        chosen = (rng.random(len(tokens)) < self.config.hide) & ~np.isin(tokens, self.spared)
        return Features({**row.arrays, "tokens": np.where(chosen, mark, tokens).astype(tokens.dtype)})

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Padded texts and their labels; no chance is used."""
        rows = [row.arrays["tokens"] for row in features]
        tensors = {"tokens": pad(rows, self.pad_id)}
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        tensors["labels"] = torch.tensor([int(row.arrays["label"][0]) for row in features])
        return Batch(tensors, len(features))

    def told(self, model: nn.Module, batch: Batch) -> tuple[Loss, list[Told]]:
        """The loss, and the probabilities of all labels of every text."""
        scores = model(batch)
        found = self._loss(scores, batch, training=model.training)
        return found, told_labels(scores, batch["labels"])

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The number of the likeliest label of every text."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted
