"""The masked language model: hidden words of a text, told from all that stands around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.data.batch import keep, pad
from glassformer.data.blocks import crop
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.cross_entropy import CHUNK, IGNORED, cross_entropy
from glassformer.objectives.choosing import Chooser, word_starts
from glassformer.objectives.objective import Loss
from glassformer.objectives.rows import running
from glassformer.text.tokenizer import TokenizerPair


class Config(Settings):
    """``share`` of the tokens is foretold, as whole words or one by one (``whole_words: false``).

    ``next_sentence``: also tell whether the second half of a row goes on the first or is from another row.
    """

    name: Literal["masked_lm"] = "masked_lm"
    share: float = Field(0.15, gt=0, lt=1)
    whole_words: bool = True
    next_sentence: bool = False


@dataclass(frozen=True)
class _Row:
    """A framed text, which of its two segments each token belongs to, and whether the second is foreign."""

    tokens: np.ndarray
    segments: np.ndarray
    foreign: bool


class Objective:
    """The summed cross-entropy of the chosen tokens (Devlin et al. 2019, §3.1).

    ::

        row       [CLS]  my  dog   is    hair  ##y   [SEP]
        tokens    [CLS]  my  dog   is   [MASK][MASK] [SEP]
        labels     -     -   -     -     hair  ##y    -

    Of the chosen tokens 80 % are hidden by the mask, 10 % are another piece drawn from the whole vocabulary,
    10 % stay. Special tokens are never chosen or drawn; every row has a choice. With ``next_sentence`` half
    of the rows end with the end of another row; each row's loss then counts as often as the row has choices,
    so that the loss is the sum of both means and any split of a batch has the same sum.

    In training chance is drawn from the stream; else from the row itself, so that the same text always has
    the same choices, whatever it is measured with.
    """

    needs: tuple[str, ...] = ("encodes",)
    reads = "text"
    frame = "both"
    answers = "tokens"
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        self.config = config
        _check(config, numbers, tokenizers)
        assert tokenizers is not None
        tokenizer = tokenizers.source
        self.pad_id, self.longest, self.eos_id = numbers.pad_id, numbers.max_length, tokenizer.eos_id
        self.opening, self.between, self.closing = (
            np.array(ids, dtype=np.int64) for ids in (tokenizer.opening, tokenizer.between, tokenizer.closing)
        )
        self.choose = Chooser.of(tokenizer, share=config.share, whole_words=config.whole_words)

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each piece of a document, and the end behind its last piece."""
        return running(examples, tokenizers, self.eos_id)

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Rows with choices that depend on nothing but their tokens."""
        rows = [row.arrays["tokens"].astype(np.int64) for row in features]
        return self._batch(rows, [np.random.default_rng(crc32(row.tobytes())) for row in rows])

    def collate_training(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """Rows cropped at a random place, with other choices each time."""
        rows = [crop(row.arrays["tokens"].astype(np.int64), rng) for row in features]
        return self._batch(rows, [rng] * len(rows))

    # --- rows ----------------------------------------------------------------------------------------------

    def _batch(self, texts: list[np.ndarray], rngs: list[np.random.Generator]) -> Batch:
        # A row has a token more than its block; with its frame it is as long as the block again.
        room = [max(1, min(len(text) - 1, self.longest) - self._framing) for text in texts]
        bodies = [text[:size] for text, size in zip(texts, room, strict=True)]
        rows = self._pairs(bodies, rngs) if self.config.next_sentence else list(map(self._alone, bodies))
        hidden, labels = [], []
        for row, rng in zip(rows, rngs, strict=True):
            tokens, answers = self.choose(row.tokens, rng)
            hidden.append(tokens)
            labels.append(answers)
        tensors = {"tokens": pad(hidden, self.pad_id), "labels": pad(labels, IGNORED)}
        tensors["chosen"] = (tensors["labels"].flatten() != IGNORED).nonzero()[:, 0]
        if len({len(row) for row in hidden}) > 1:
            tensors["keep"] = keep(hidden)
        if self.config.next_sentence:
            tensors["segments"] = pad([row.segments for row in rows], 0)
            tensors["foreign"] = torch.tensor([int(row.foreign) for row in rows])
        return Batch(tensors, len(tensors["chosen"]))

    @property
    def _framing(self) -> int:
        inside = len(self.between) if self.config.next_sentence else 0
        return len(self.opening) + inside + len(self.closing)

    def _alone(self, body: np.ndarray) -> _Row:
        tokens = np.concatenate([self.opening, body, self.closing])
        return _Row(tokens, np.zeros_like(tokens), foreign=False)

    def _pairs(self, bodies: list[np.ndarray], rngs: list[np.random.Generator]) -> list[_Row]:
        """Each body in two segments; for half of them the second is the end of another body."""
        rows = []
        for at, (body, rng) in enumerate(zip(bodies, rngs, strict=True)):
            starts = word_starts(body, self.choose.goes_on)[1:]
            cut = int(rng.choice(starts)) if len(starts) else len(body)
            first, second = body[:cut], body[cut:]
            foreign = bool(len(bodies) > 1 and rng.random() < 0.5)
            if foreign:
                other = bodies[(at + int(rng.integers(1, len(bodies)))) % len(bodies)]
                second = self._end(other, max(1, len(second)))
            rows.append(self._pair(first, second, foreign=foreign))
        return rows

    def _end(self, body: np.ndarray, size: int) -> np.ndarray:
        """The end of a body from the first word that leaves at most ``size`` tokens."""
        starts = word_starts(body, self.choose.goes_on)
        fitting = starts[starts >= len(body) - size]
        return body[fitting[0] if len(fitting) else len(body) - size :]

    def _pair(self, first: np.ndarray, second: np.ndarray, *, foreign: bool) -> _Row:
        head = np.concatenate([self.opening, first, self.between])
        tail = np.concatenate([second, self.closing])
        segments = np.concatenate([np.zeros_like(head), np.ones_like(tail)])
        return _Row(np.concatenate([head, tail]), segments, foreign)

    # --- loss ----------------------------------------------------------------------------------------------

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss of the chosen tokens and, if asked for, of the rows' second halves, in nats.

        Parts: ``nll`` of the chosen tokens; when the model is measured also ``accuracy``, how many are right,
        and ``nsp``, the choices in rows whose second half was told right.
        """
        asked: Any = model
        hidden: Tensor = asked.hidden(batch)
        ready = asked.transform(hidden.flatten(0, 1)[batch["chosen"]])
        labels = batch["labels"].flatten()[batch["chosen"]]
        total, plain = cross_entropy(ready, asked.output.weight, asked.output.bias, labels)
        parts = {"nll": plain}
        if not model.training:
            parts["accuracy"] = _right(ready, asked.output, labels)
        if self.config.next_sentence:
            scores = asked.next_sentence(asked.pooled(hidden)).float()
            weights = (batch["labels"] != IGNORED).sum(1)
            total = (
                total + (weights * functional.cross_entropy(scores, batch["foreign"], reduction="none")).sum()
            )
            if not model.training:
                parts["nsp"] = (weights * (scores.argmax(-1) == batch["foreign"])).sum()
        return Loss(total, parts)

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The most probable token at every position."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted


def _right(ready: Float[Tensor, "choice dim"], output: Any, labels: Tensor) -> Tensor:
    """How many labels have the highest score; the scores of a few at a time."""
    with torch.no_grad():
        size = max(1, CHUNK // output.weight.shape[0])
        found = [output(some).argmax(-1) for some in torch.split(ready, size)]
        return (torch.cat(found) == labels).sum()


def _check(config: Config, numbers: Any, tokenizers: TokenizerPair | None) -> None:
    """Raise UserError unless the model has the heads and the tokenizer the mask."""
    head = getattr(numbers, "head", None)
    if head not in ("masked_lm", "pretraining"):
        raise UserError(
            f"masked_lm needs a model that scores hidden words, not head: {head}; set model.head=masked_lm"
        )
    if config.next_sentence and head != "pretraining":
        raise UserError(
            f"objective.next_sentence needs a model with head: pretraining, not {head}; set model.head"
        )
    if tokenizers is None or tokenizers.source.mask_id is None:
        raise UserError(
            "masked_lm needs a tokenizer with a mask, such as <mask> or [MASK]; this one has none"
        )
