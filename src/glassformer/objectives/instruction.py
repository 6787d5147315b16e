"""Supervised fine-tuning: the answers of conversations, given all that was said before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from glassformer.base.config import Settings
from glassformer.data.batch import pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import IGNORED
from glassformer.objectives.foretelling import Foretelling
from glassformer.text.chat import KEY, plain_template, template_of
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """Conversations of more than ``max_length`` tokens (left out: what the model reads) lose their end."""

    name: Literal["instruction"] = "instruction"
    max_length: int | None = Field(None, ge=4)


class Objective(Foretelling):
    """The summed cross-entropy of every token of an answer and of its end, given all before it.

    ::

        row     user  안녕?  </s>  assistant  안녕하세요.  </s>  user  …
        labels  -     -      -     안녕하세요.  </s>        -     -          - is -100: it counts nothing

    What is asked is read and never foretold (Ouyang et al. 2022, supervised fine-tuning). What stands after
    the last answer is left out; a conversation that is too long loses its end, or, where no answer would be
    left, its beginning.
    """

    reads = "instructions"
    frame = "none"
    answers: str | None = "answers"

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        del tokenizers  # the model's configuration has the id of the padding
        self.config = config
        self.pad_id = numbers.pad_id
        self.longest = min(config.max_length or numbers.max_length, numbers.max_length) + 1

    @staticmethod
    def tokenizers_for(pair: TokenizerPair) -> TokenizerPair:
        """The tokenizers with a chat template: our own where they have none, read as one reads it there."""
        one: Any = pair.source
        template_of(one)
        if not one.settings.get(KEY):
            one = one.with_settings(**{KEY: plain_template(one), "split_special_tokens": False})
        return TokenizerPair(one, one)

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each conversation in its template, which of them are answers, and these alone."""
        template = template_of(tokenizers.source)
        return [
            self._cut(*template.conversation(example.fields["messages"], example.where))
            for example in examples
        ]

    def _cut(self, ids: list[int], answers: list[bool]) -> Features:
        tokens, scored = np.array(ids, dtype=np.int32), np.array(answers)
        places = scored.nonzero()[0]
        first, last = int(places.min(initial=len(ids))), int(places.max(initial=0))
        # So that half of the row, at most, is the answer's where the question alone would fill it.
        begin = 0 if first < self.longest else first - self.longest // 2
        chosen = slice(begin, min(begin + self.longest, last + 1))
        tokens, scored = tokens[chosen], scored[chosen]
        scored[:1] = False  # the first token of a row is given
        return Features({"tokens": tokens, "scored": scored.astype(np.uint8), "answers": tokens[scored]})

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Padded conversations, and the next token wherever it belongs to an answer; no chance is used."""
        rows = [row.arrays["tokens"] for row in features]
        labels = [
            np.where(row.arrays["scored"] > 0, row.arrays["tokens"], IGNORED)[1:].astype(np.int32)
            for row in features
        ]
        # Padding stands on the right, where nothing that comes before it looks; it needs no mask.
        tensors = {
            "tokens": pad([row[:-1] for row in rows], self.pad_id),
            "labels": pad(labels, IGNORED),
        }
        return Batch(tensors, sum(int((row != IGNORED).sum()) for row in labels))
