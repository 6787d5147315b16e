"""A model that tells something of a text, or of two together: its label, several, or a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.api.reading import as_record, batched, encoded, shown_as, text_of
from glassformer.base.errors import RunError, UserError
from glassformer.nn.headed import Head, Headed
from glassformer.objectives.framing import Text
from glassformer.objectives.labelling import LabelConfig
from glassformer.objectives.telling import TELLINGS, Telling

AT_ONCE = 64

Prediction = list[tuple[str, float]] | float | None
"""Labels with their probabilities, best first, or a number; of a blank text no labels, or None."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An image or a text (``kind``) and its likeliest labels; ``text`` has both where there are two."""

    kind: Literal["image", "text"]
    name: str
    labels: tuple[tuple[str, float], ...]
    text: Text | None = None

    def as_json(self) -> dict[str, Any]:
        """``image`` or ``text`` (and ``pair``), and ``labels``, each with ``label`` and ``probability``."""
        found = [{"label": label, "probability": share} for label, share in self.labels]
        what: dict[str, Any] = {self.kind: self.name} if self.text is None else {**as_record(self.text)}
        return {**what, "labels": found}

    def lines(self) -> Iterator[str]:
        """The image or text, then its labels, the likeliest first."""
        yield self.name
        for label, share in self.labels:
            yield f"  {share:.4f}  {label}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A text, or two, and the ``number`` that is told of them, None of a blank one; what it is ``called``."""

    text: Text
    called: str
    number: float | None

    def as_json(self) -> dict[str, Any]:
        """``text`` (and ``pair``), and ``number``."""
        return {**as_record(self.text), "number": self.number}

    def lines(self) -> Iterator[str]:
        """The text, then the number and what it is called."""
        yield shown_as(self.text)
        if self.number is not None:
            yield f"  {self.number:.4f}  {self.called}"


class Classifier(Opened):
    """A body with a head that tells which of a few labels a text has, or a number; it may read two at once.

    >>> import glassformer as gf                              # doctest: +SKIP
    >>> gf.load("runs/nsmc").predict("정말 재밌다")[0][0]     # doctest: +SKIP
    ('1', 0.9731)
    >>> gf.load("runs/nli").predict([("비가 온다", "날이 맑다")])[0][0]    # doctest: +SKIP
    ('contradiction', 0.8412)
    """

    @property
    def head(self) -> Head:
        """What stands on the body."""
        return headed(self.model).head

    @property
    def objective(self) -> str:  # type: ignore[override]
        """What it was learned by."""
        return self.head.objective

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in the order of the model's scores; of a number what it is called."""
        return self.head.labels

    def predict(self, texts: str | Sequence[Text], top_k: int = 5) -> list[Prediction]:
        """Of each text the ``top_k`` likeliest labels with their probabilities, best first, or the number.

        Two texts that are read together are a tuple. Where a text may have several labels, those are given
        whose probability reaches the head's threshold. A text longer than those the model learned from loses
        its end, and a warning says so; a blank one has no labels. Batch mates change nothing but roundings.
        """
        return list(self.predictions([texts] if isinstance(texts, str) else texts, top_k))

    def predictions(self, texts: Iterable[Text], top_k: int = 5) -> Iterator[Prediction]:
        """The same in order, a few texts in memory at a time."""
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; a text has at least 1 label")
        number = self.head.tells == "number"
        numbered = ((place, self._checked(text, place)) for place, text in enumerate(texts, start=1))
        while some := list(islice(numbered, AT_ONCE)):
            found = iter(self._shares([one for one in some if not _blank(one[1])]))
            for _, text in some:
                if _blank(text):
                    yield None if number else []
                else:
                    share = next(found)
                    yield share.item() if number else self._best(share, top_k)

    def probabilities(self, texts: Sequence[Text]) -> Float[Tensor, "texts labels"]:
        """The probability of every label for every text, which is not blank; UserError for a number."""
        if self.head.tells == "number":
            raise UserError(
                f"{self.folder}: this model tells a number, which has no probability; use predict"
            )
        listed = [(place, self._checked(text, place)) for place, text in enumerate(texts, start=1)]
        for place, text in listed:
            if _blank(text):
                raise UserError(f"text {place}: it is blank, so that nothing can be told of it")
        return self._shares(listed)

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Labelled | Measured]:
        """Each line with its labels, or its number; two texts stand on it with a tab between them."""
        texts = self.head.texts
        read = (text_of(line, number, texts) for number, line in enumerate(lines, start=1))
        for text, found in paired(read, lambda some: self.predictions(some, top_k)):
            if isinstance(found, list):
                yield Labelled("text", shown_as(text), tuple(found), text)
            else:
                yield Measured(text, self.labels[0], found)

    @property
    def _telling(self) -> Telling:
        telling: Telling = TELLINGS[self.head.tells](LabelConfig(), self.head, None)
        return telling

    def _checked(self, text: Text, place: int) -> Text:
        """The text; UserError where there is one and the model reads two at once, or so."""
        wanted = self.head.texts
        if wanted and not _blank(text) and wanted != (1 if isinstance(text, str) else 2):
            reads = "one text at once" if wanted == 1 else "two texts at once; give both as a tuple"
            raise UserError(f"text {place}: this model reads {reads}")
        return text

    def _best(self, share: Float[Tensor, " labels"], top_k: int) -> list[tuple[str, float]]:
        order = share.argsort(descending=True, stable=True)[:top_k].tolist()
        told = self._telling.decided(share) if self.head.tells == "labels" else torch.ones_like(share).bool()
        return [(self.labels[place], share[place].item()) for place in order if told[place]]

    def _shares(self, numbered: Sequence[tuple[int, Text]]) -> Tensor:
        """A row of probabilities for each text, or a number."""
        rows = encoded(numbered, self.tokenizers.source, self.head.max_length, "cut")
        each = () if self.head.tells == "number" else (len(self.labels),)
        found = torch.zeros(len(rows), *each, dtype=torch.float64)
        for places in alike([row.tokens for row in rows]):
            batch = batched([rows[place] for place in places], self.model.config, self.device)
            found[places] = self._telling.shares(scores(self.model, batch)).cpu()
        return found


def _blank(text: Text) -> bool:
    return not (text if isinstance(text, str) else "".join(text)).strip()


def headed(model: Any) -> Headed:
    """The model as what it is known to be."""
    assert isinstance(model, Headed)
    return model


def alike(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Which rows are read together: those of one length, so that none is padded."""
    lengths: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        lengths.setdefault(len(row), []).append(place)
    yield from lengths.values()


@torch.inference_mode()
def scores(model: torch.nn.Module, batch: dict[str, Tensor]) -> Float[Tensor, "rows *token labels"]:
    """What a model says of a batch before anything is made of it; RunError where it is not numbers."""
    found: Tensor = model(batch)
    if found.isnan().any():
        raise RunError("the model gives scores that are not numbers; its weights are damaged")
    return found


def shares(model: torch.nn.Module, rows: Sequence[Sequence[int]]) -> Float[Tensor, "rows *token labels"]:
    """The probabilities of all labels for rows of one length; RunError where they are not numbers."""
    tokens = torch.tensor(rows, device=next(model.parameters()).device)
    return scores(model, {"tokens": tokens}).double().softmax(dim=-1).cpu()
