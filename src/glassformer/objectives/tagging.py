"""Tagging: a label for every word of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch, Example, Features
from glassformer.data.tags import Scheme, transitions
from glassformer.nn.cross_entropy import IGNORED
from glassformer.nn.headed import Head
from glassformer.objectives.characters import Characters
from glassformer.objectives.labelling import LabelConfig, Labelling, number_of, weights_of
from glassformer.objectives.objective import Loss, Told
from glassformer.objectives.sequence import likeliest
from glassformer.text.tokenizer import Tokenizer, TokenizerPair


class Config(LabelConfig):
    """See ``LabelConfig``; an answer is the tag of a word.

    Where tags mark spans, only ``legal`` sequences of them are told: the likeliest one of these, not the
    likeliest tag of each word.
    """

    name: Literal["tagging"] = "tagging"
    legal: bool = True


class Objective(Labelling):
    """The summed cross-entropy of the tag of every word, told by its first piece (Devlin et al. 2019, §5.3).

    ::

        words     Jim    Hen  son  plays
        tokens    Jim    Hen  ##son  plays
        labels    B-PER  I-PER  -    O
    """

    reads = "tagged"
    judge = "tags"

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        super().__init__(config, numbers=numbers, tokenizers=tokenizers, head=head)
        self.scheme, self.unit = head.scheme, head.unit

    @staticmethod
    def head(
        config: Config,
        *,
        facts: Mapping[str, Any],
        ability: str,  # noqa: ARG004 - every body has a state for every token
        width: int,
        max_length: int,
    ) -> Head:
        """The head for a body of that width, for tags that only the data knows."""
        return Head(
            objective=config.name,
            ability="tags",
            pool="each",
            labels=facts["labels"],
            outputs=len(facts["labels"]),
            width=width,
            max_length=max_length,
            dropout=config.dropout,
            unit=facts["unit"],
            scheme=facts.get("scheme") if config.legal else None,
            weights=weights_of(config, facts),
        )

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each text's words, where words begin, and their tags; UserError for a tag never seen."""
        texts = [one.fields["words"] for one in examples]
        rows = cut(tokenizers.source, texts, self.longest, unit=self.unit)
        return [self._features(*row, example) for row, example in zip(rows, examples, strict=True)]

    def _features(self, tokens: list[int], starts: list[int], example: Example) -> Features:
        tags = zip(example.fields["tags"], example.fields["places"], strict=True)
        numbers = [number_of(tag, self.labels, place) for tag, place in tags]
        return Features(
            {
                "tokens": np.array(tokens, dtype=np.int32),
                "starts": np.array(starts, dtype=np.int32),
                "tags": np.array(numbers[: len(starts)], dtype=np.int32),
            }
        )

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Padded texts, and the tag of each word at its first piece; no chance is used."""
        rows = [row.arrays["tokens"] for row in features]
        tensors = {"tokens": pad(rows, self.pad_id)}
        labels = torch.full_like(tensors["tokens"], IGNORED)
        for label, row in zip(labels, features, strict=True):
            label[torch.from_numpy(row.arrays["starts"].astype(np.int64))] = torch.from_numpy(
                row.arrays["tags"].astype(np.int64)
            )
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        tensors["labels"] = labels
        return Batch(tensors, sum(len(row.arrays["starts"]) for row in features))

    def told(self, model: nn.Module, batch: Batch) -> tuple[Loss, list[Told]]:
        """The loss, and of every text the tags of its words, with the probabilities of all.

        ``full`` says that the text fills what is read at once, so that words may have been left out.
        """
        scores = model(batch)
        found = self._loss(scores, batch, training=model.training)
        share, labels = scores.detach().double().softmax(dim=-1).cpu().numpy(), batch["labels"].cpu().numpy()
        full = self._sizes(batch) >= self.longest
        told: list[Told] = []
        for one, true, fills in zip(share, labels, full, strict=True):
            real = true != IGNORED
            found_here = decided(one[real], self.labels, self.scheme)
            told.append({"true": true[real], "told": found_here, "share": one[real], "full": fills[None]})
        return found, told

    @staticmethod
    def _sizes(batch: Batch) -> Int[np.ndarray, " rows"]:
        """How many tokens each row has."""
        rows, width = batch["tokens"].shape
        kept = batch["keep"].sum(1).cpu().numpy() if "keep" in batch else np.full(rows, width)
        return kept.astype(np.int64)

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The number of the likeliest tag at every token; that at a word's first piece is the word's."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted


def decided(
    share: Float[np.ndarray, "word label"], labels: tuple[str, ...], scheme: Scheme | None
) -> Int[np.ndarray, " word"]:
    """The tags of words: the likeliest sequence that is legal in ``scheme``, or each word's likeliest."""
    if scheme is None:
        return share.argmax(axis=-1)
    with np.errstate(divide="ignore"):
        return likeliest(np.log(share), _legal(labels, scheme))


@cache
def _legal(labels: tuple[str, ...], scheme: Scheme) -> Bool[np.ndarray, "before after"]:
    return transitions(labels, scheme)


def cut(
    tokenizer: Tokenizer,
    texts: Iterable[Sequence[str]],
    longest: int,
    *,
    unit: Literal["word", "character"] = "word",
) -> list[tuple[list[int], list[int]]]:
    """For each list of words their ids in the tokenizer's frame, and which piece tells of each word.

    That is a word's first, and of single characters the one that is no mark of a word (``Characters``). A
    word that the tokenizer writes with nothing has its unknown piece. Words that would stand beyond
    ``longest`` tokens are left out, and then there are fewer places than words.
    """
    listed = [list(words) for words in texts]
    opening, closing = tokenizer.opening, tokenizer.closing
    room = max(1, longest - len(closing))
    rows = []
    for pieces in _pieces(tokenizer, listed, unit):
        tokens, starts = [*opening], []
        for ids, telling in pieces:
            if len(tokens) + telling < room:
                starts.append(len(tokens) + telling)
            tokens += ids
        rows.append(([*tokens[:room], *closing][:longest], starts))
    return rows


def _pieces(
    tokenizer: Tokenizer, listed: Sequence[Sequence[str]], unit: str
) -> Iterator[list[tuple[list[int], int]]]:
    """For each word of each text its ids, and which of them tells of it."""
    flat = [word for words in listed for word in words]
    if unit == "character":
        characters = Characters(tokenizer, flat)
        yield from map(characters.of, listed)
        return
    every = iter(tokenizer.encode_batch(flat))
    empty = tokenizer.eos_id if tokenizer.unk_id is None else tokenizer.unk_id
    for words in listed:
        yield [(next(every) or [empty], 0) for _ in words]
