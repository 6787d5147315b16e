"""Extractive question answering: where in a text the answer to a question begins, and where it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.headed import Head, Spans
from glassformer.objectives.labelling import BODIES, label_loss
from glassformer.objectives.objective import Loss, Told
from glassformer.text.places import Placed
from glassformer.text.tokenizer import Tokenizer, TokenizerPair

NONE = (-1, -1)
"""The tokens of an answer that is not there."""


class Config(Settings):
    """How contexts are cut into windows, and what an answer can be.

    ``stride`` is how many tokens of the context lie between the beginnings of two windows (Devlin et al.
    2019), half of what a window holds of it where nothing is said. Of a question the first ``max_question``
    tokens are read; an answer has at most ``max_answer``. ``dropout`` is that before the head.
    """

    name: Literal["span"] = "span"
    dropout: float = Field(0.1, ge=0, lt=1)
    stride: int | None = Field(None, ge=1)
    max_question: int = Field(64, ge=1)
    max_answer: int = Field(30, ge=1)


class Objective:
    """The summed cross-entropy of the first and of the last token of every answer (Devlin et al. 2019, §4.2).

    ::

        row        [CLS]  who  lives  [SEP]  Kim  lives  in  Seoul  [SEP]
        segments     0     0     0      0     1     1     1    1      1
        start, end  null                      ↑↑

        loss = -Σ_windows  log softmax(start)_first + log softmax(end)_last

    The softmax is over the tokens of the context and one that says that the answer is not in this window:
    the first of the row, or the last where a body reads only what stands before (``Spans.null``).
    """

    needs: tuple[str, ...] = BODIES
    reads = "questions"
    frame = "both"
    answers: str | None = None
    shaping: tuple[str, ...] = ("stride", "max_question")
    judge = "answers"

    def __init__(self, config: Config, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        del tokenizers  # the model's configuration has the id of the padding
        self.config, self.spans, self.longest = config, head.spans, head.max_length
        self.pad_id = numbers.pad_id
        self.segments = getattr(numbers, "segments", 0) > 1

    @staticmethod
    def head(config: Config, *, facts: Mapping[str, Any], ability: str, width: int, max_length: int) -> Head:
        """The head for a body of that ability and width; whether all can be answered only the data knows."""
        spans = Spans(
            null="last" if ability == "generates" else "first",
            threshold=0.0 if facts.get("impossible") else None,
            stride=config.stride,
            max_question=config.max_question,
            max_answer=config.max_answer,
        )
        return Head(
            objective=config.name,
            ability="answers",
            pool="each",
            labels=("start", "end"),
            outputs=2,
            width=width,
            max_length=max_length,
            dropout=config.dropout,
            texts=2,
            spans=spans,
        )

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """For each question its windows end to end, where tokens stand in the context, and the answer's.

        Of several right answers the first is learned.
        """
        tokenizer = tokenizers.source
        contexts = list(dict.fromkeys(one.fields["context"] for one in examples))
        known = dict(zip(contexts, tokenizer.encode_places(contexts), strict=True))
        questions = tokenizer.encode_batch([one.fields["question"] for one in examples])
        return [
            self._features(question, known[one.fields["context"]], one, tokenizer)
            for question, one in zip(questions, examples, strict=True)
        ]

    def _features(
        self, question: list[int], context: Placed, example: Example, tokenizer: Tokenizer
    ) -> Features:
        lead, closing = framed_question(tokenizer, question, self.spans.max_question, self.longest)
        begins, room = windows_of(
            len(context.ids), self.longest - len(lead) - len(closing), self.spans.stride
        )
        rows = [[*lead, *context.ids[begin : begin + room], *closing] for begin in begins]
        arrays = {
            "tokens": [token for row in rows for token in row],
            "sizes": [len(row) for row in rows],
            "begins": begins,
            "frame": [len(lead), len(closing)],
            "starts": context.starts,
            "ends": context.ends,
            "answer": _tokens_of(context, example.fields["answers"]),
        }
        return Features({name: np.asarray(value, dtype=np.int32) for name, value in arrays.items()})

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """The padded windows of the questions, and where each has the answer; no chance is used."""
        every = [one.arrays for one in features]
        rows = [row for one in every for row in np.split(one["tokens"], np.cumsum(one["sizes"])[:-1])]
        counts = [len(one["sizes"]) for one in every]
        frame = np.repeat([one["frame"] for one in every], counts, axis=0)
        begin = np.concatenate([one["begins"] for one in every])
        size = np.array([len(row) for row in rows]) - frame.sum(axis=1)
        answer = np.repeat([one["answer"] for one in every], counts, axis=0)
        null = np.array([0 if self.spans.null == "first" else len(row) - 1 for row in rows])
        tensors = {
            "tokens": pad(rows, self.pad_id),
            "lead": torch.from_numpy(frame[:, 0].astype(np.int64)),
            "size": torch.from_numpy(size.astype(np.int64)),
            "begin": torch.from_numpy(begin.astype(np.int64)),
            "null": torch.from_numpy(null.astype(np.int64)),
            "question": torch.from_numpy(np.repeat(np.arange(len(every)), counts)),
            "places": torch.stack(
                [pad([one[name] for one in every], 0) for name in ("starts", "ends")], dim=-1
            ),
        }
        tensors["labels"] = torch.from_numpy(_labels(answer, begin, size, frame[:, 0], null).astype(np.int64))
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        if self.segments:
            at = torch.arange(tensors["tokens"].shape[1])
            tensors["segments"] = (at >= tensors["lead"][:, None]).long()
        return Batch(tensors, 2 * len(rows))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss; parts ``nll``, in nats, and ``accuracy``, of starts and ends alike."""
        return _loss(model(batch), batch)

    def told(self, model: nn.Module, batch: Batch) -> tuple[Loss, list[Told]]:
        """The loss, and of every question the scores of its windows and where its tokens stand.

        ``starts`` and ``ends`` are scores of the context's tokens, window behind window; ``sizes``,
        ``begins`` and ``nulls`` have one number for each window: its tokens, where it begins, and the score
        of no answer. ``places`` are the characters of the context's tokens. ``rules`` are the longest answer
        in tokens and the threshold above which nothing is answered, NaN where something always is.
        """
        scores = model(batch)
        plain = scores.detach().float().cpu()
        held = {name: batch[name].cpu() for name in ("lead", "size", "begin", "null", "question", "places")}
        threshold = self.spans.threshold
        rules = np.array([self.spans.max_answer, np.nan if threshold is None else threshold])
        told: list[Told] = []
        for number, places in enumerate(held["places"]):
            rows = (held["question"] == number).nonzero()[:, 0]
            parts = [
                plain[row, (first := int(held["lead"][row])) : first + int(held["size"][row])] for row in rows
            ]
            nulls = plain[rows, held["null"][rows]].sum(dim=1)
            told.append(
                {
                    "starts": torch.cat(parts)[:, 0].numpy(),
                    "ends": torch.cat(parts)[:, 1].numpy(),
                    "sizes": held["size"][rows].numpy(),
                    "begins": held["begin"][rows].numpy(),
                    "nulls": nulls.numpy(),
                    "places": places.numpy(),
                    "rules": rules,
                }
            )
        return _loss(scores, batch), told

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The likeliest first and the likeliest last token of every window, each for itself."""
        predicted: Tensor = _able(model(batch), batch).argmax(dim=-1)
        return predicted


def framed_question(
    tokenizer: Tokenizer, question: Sequence[int], most: int, longest: int
) -> tuple[list[int], list[int]]:
    """What stands before a context, and behind it, in the tokenizer's template for two texts.

    Where the template puts nothing, as GPT-2's does, its end-of-text token parts the two and closes the row,
    and its beginning opens it. The question never takes more than half of the row.
    """
    opening = list(tokenizer.opening) or [tokenizer.bos_id]
    between = list(tokenizer.between) or [tokenizer.eos_id]
    closing = list(tokenizer.closing) or [tokenizer.eos_id]
    room = max(1, (longest - len(opening) - len(between) - len(closing)) // 2)
    return [*opening, *question[: min(most, room)], *between], closing


def windows_of(size: int, room: int, stride: int | None) -> tuple[list[int], int]:
    """Where the windows on a context of that many tokens begin, and how many tokens each has room for.

    >>> windows_of(10, 4, 3)
    ([0, 3, 6], 4)
    """
    room = max(1, room)
    step = min(stride or -(-room // 2), room)
    return [step * number for number in range(1 + max(0, -(-(size - room) // step)))], room


def _tokens_of(context: Placed, answers: Sequence[tuple[str, int]]) -> tuple[int, int]:
    """The first and the last token of the first answer, its spaces left out."""
    if not answers:
        return NONE
    text, start = answers[0]
    start += len(text) - len(text.lstrip())
    return context.around(start, start + len(text.strip())) or NONE


def _labels(
    answer: np.ndarray, begin: np.ndarray, size: np.ndarray, lead: np.ndarray, null: np.ndarray
) -> np.ndarray:
    """Where in its row each window has the whole answer, else its token for none."""
    inside = answer - begin[:, None]
    whole = (answer[:, 0] >= 0) & (inside[:, 0] >= 0) & (inside[:, 1] < size)
    return np.where(whole[:, None], inside + lead[:, None], null[:, None])


def _able(scores: Float[Tensor, "rows token two"], batch: Batch) -> Float[Tensor, "rows two token"]:
    """Scores of those tokens that can be an answer or say that there is none; -∞ for all others."""
    at = torch.arange(scores.shape[1], device=scores.device)
    first = batch["lead"][:, None]
    able = (at >= first) & (at < first + batch["size"][:, None]) | (at == batch["null"][:, None])
    return scores.transpose(1, 2).masked_fill(~able[:, None], -torch.inf)


def _loss(scores: Float[Tensor, "rows token two"], batch: Batch) -> Loss:
    total, plain, right = label_loss(_able(scores, batch), batch["labels"])
    return Loss(total, {"nll": plain, "accuracy": right})
