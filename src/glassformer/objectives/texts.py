"""What objectives have in common that tell something of whole texts: rows of one or two, a head, an answer.

What is told (a label, several, a number) is said by ``telling``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.headed import Head, Pool, Tells
from glassformer.objectives.framing import Row, Text, framed
from glassformer.objectives.labelling import LabelConfig, Labelling, weights_of
from glassformer.objectives.objective import Loss, Told
from glassformer.objectives.telling import TELLINGS, Telling
from glassformer.text.tokenizer import TokenizerPair

POOLS: Mapping[str, Pool] = {"generates": "last", "encodes": "first"}
"""Which token knows the whole text, by what the body can do; elsewhere the mean of all."""


class TextConfig(LabelConfig):
    """``pool`` says which hidden state a text is told by: of its ``last`` or ``first`` token, or their mean.

    ``auto`` is the last token of a body that generates, the first of one that encodes, else the mean.
    ``hide`` is the share of a text's tokens that training replaces by the mask, or by the unknown piece where
    there is none, so that no answer hangs on one word (Iyyer et al. 2015). The rest is said by
    ``LabelConfig``.
    """

    pool: Literal["auto", "last", "first", "mean"] = "auto"
    hide: float = Field(0.0, ge=0, lt=1)


class Texts(Labelling):
    """An objective that tells something of every text, or of every two texts, given one vector of them.

    ::

        row     <s>  정말  재밌다  </s>            <s>  비가 온다  </s>  날이 맑다  </s>
        answer  1                                 2

    The body's hidden states come from a model; the head is made here (``head``) and stands on any body. Two
    texts stand in one row, in the tokenizer's template for two (Devlin et al. 2019, §3).
    """

    reads = "labelled"
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        super().__init__(config, numbers=numbers, tokenizers=tokenizers, head=head)
        self.telling: Telling = TELLINGS[head.tells](config, head, self.weights)
        self.judge = self.telling.judge
        self.segments, self.texts = getattr(numbers, "segments", 0) > 1, head.texts
        self.hidden: int | None = None
        if config.hide and tokenizers is not None:
            tokenizer = tokenizers.source
            self.hidden = tokenizer.unk_id if tokenizer.mask_id is None else tokenizer.mask_id
            self.spared = np.array(sorted(tokenizer.specials_ids()))
            if self.hidden is None:
                raise UserError("objective.hide needs a tokenizer with a mask or an unknown piece")

    @classmethod
    def tells(cls, config: Any) -> Tells:  # noqa: ARG003 - others ask their configuration
        """What is told of a text."""
        return "label"

    @classmethod
    def outputs(cls, config: Any, labels: Sequence[str]) -> int:  # noqa: ARG003 - the same
        """How many scores there are for these labels."""
        return len(labels)

    @classmethod
    def head(
        cls, config: Any, *, facts: Mapping[str, Any], ability: str, width: int, max_length: int
    ) -> Head:
        """The head for a body of that ability and width, for labels that only the data knows."""
        tells = cls.tells(config)
        number = tells == "number"
        labels = (facts["called"],) if number else facts["labels"]
        return Head(
            objective=config.name,
            ability="classifies",
            pool=POOLS.get(ability, "mean") if config.pool == "auto" else config.pool,
            labels=labels,
            outputs=cls.outputs(config, labels),
            width=width,
            max_length=max_length,
            dropout=config.dropout,
            tells=tells,
            texts=facts["texts"],
            weights=() if number else weights_of(config, facts),
        )

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each text or pair in its frame, and its answer; UserError for an answer never seen."""
        rows = framed([self._text(one) for one in examples], tokenizers.source, self.longest)
        return [self._features(*both) for both in zip(rows, examples, strict=True)]

    def _text(self, example: Example) -> Text:
        found = texts_of(example, self.texts)
        return found if len(found) == 2 else found[0]

    def _features(self, row: Row, example: Example) -> Features:
        arrays = {"tokens": np.array(row.tokens, dtype=np.int32), "second": np.array([row.second])}
        return Features(arrays | {"answer": self.telling.stored(example)})

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
        """Padded texts, their segments if the model knows any, and ``labels``; no chance is used."""
        rows = [row.arrays["tokens"] for row in features]
        tensors = {"tokens": pad(rows, self.pad_id)}
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        if self.segments:
            seconds = torch.tensor([int(row.arrays["second"][0]) for row in features])
            tensors["segments"] = segments(seconds, tensors["tokens"].shape[1])
        tensors["labels"] = self.telling.batched([row.arrays["answer"] for row in features])
        return Batch(tensors, tensors["labels"].numel())

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss and its parts, as ``telling`` says."""
        return self.telling.loss(model(batch), batch["labels"], training=model.training)

    def told(self, model: nn.Module, batch: Batch) -> tuple[Loss, list[Told]]:
        """The loss, and what is told of each row, out of one look of the model at the batch."""
        scores = model(batch)
        found = self.telling.loss(scores, batch["labels"], training=model.training)
        return found, self.telling.told(self.telling.shares(scores), batch["labels"])

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """What is told of every row, in the form of the batch's ``labels``: a number of a label, for each
        label whether it holds, or a number.
        """
        return self.telling.decided(self.telling.shares(model(batch)))


def segments(seconds: Int[Tensor, " rows"], width: int) -> Int[Tensor, "rows width"]:
    """0 for tokens before the place where a row's second text begins, 1 from there on."""
    return (torch.arange(width, device=seconds.device) >= seconds[:, None]).long()


def texts_of(example: Example, wanted: int) -> tuple[str] | tuple[str, str]:
    """The text of an example, or its two; UserError where these are not as many as ``wanted``, if any are."""
    text: str = example.fields["text"]
    found = (text, example.fields["pair"]) if "pair" in example.fields else (text,)
    if wanted not in (0, len(found)):
        has, learned = (("one text", "two texts")[number - 1] for number in (len(found), wanted))
        raise UserError(f"{example.where}: has {has} where the model learned from {learned} in a row")
    return found
