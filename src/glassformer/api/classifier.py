"""A model that tells the label of a text, opened for use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.base.errors import RunError, UserError
from glassformer.base.report import warn
from glassformer.nn.headed import Headed
from glassformer.objectives.labelling import framed

AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Labelled:
    """An image or a text (``kind``) and its likeliest labels."""

    kind: Literal["image", "text"]
    name: str
    labels: tuple[tuple[str, float], ...]

    def as_json(self) -> dict[str, Any]:
        """``image`` or ``text``, and ``labels``, of which each has ``label`` and ``probability``."""
        found = [{"label": label, "probability": share} for label, share in self.labels]
        return {self.kind: self.name, "labels": found}

    def lines(self) -> Iterator[str]:
        """The image or text, then its labels, the likeliest first."""
        yield self.name
        for label, share in self.labels:
            yield f"  {share:.4f}  {label}"


class Classifier(Opened):
    """A body with a head that tells which of a few labels a text has.

    >>> import glassformer as gf                              # doctest: +SKIP
    >>> gf.load("runs/nsmc").predict("정말 재밌다")[0][0]     # doctest: +SKIP
    ('1', 0.9731)
    """

    objective: ClassVar[str] = "classification"

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in the order of the model's scores."""
        return headed(self.model).head.labels

    def predict(self, texts: str | Sequence[str], top_k: int = 5) -> list[list[tuple[str, float]]]:
        """The ``top_k`` likeliest labels of each text with their probabilities, best first.

        A text longer than those the model learned from loses its end, and a warning says so; a blank one has
        no labels. Batch mates change nothing but roundings.
        """
        return list(self.predictions([texts] if isinstance(texts, str) else texts, top_k))

    def predictions(self, texts: Iterable[str], top_k: int = 5) -> Iterator[list[tuple[str, float]]]:
        """The same in order, a few texts in memory at a time."""
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; a text has at least 1 label")
        numbered = enumerate(texts, start=1)
        while some := list(islice(numbered, AT_ONCE)):
            found = iter(self._shares([one for one in some if one[1].strip()]))
            for _, text in some:
                yield self._best(next(found), top_k) if text.strip() else []

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Labelled]:
        """Each line with its labels."""
        for text, labels in paired(lines, lambda texts: self.predictions(texts, top_k)):
            yield Labelled("text", text, tuple(labels))

    def _best(self, share: Float[Tensor, " labels"], top_k: int) -> list[tuple[str, float]]:
        order = share.argsort(descending=True, stable=True)[:top_k].tolist()
        return [(self.labels[place], share[place].item()) for place in order]

    def _shares(self, numbered: Sequence[tuple[int, str]]) -> Float[Tensor, "texts labels"]:
        tokenizer, longest = self.tokenizers.source, headed(self.model).head.max_length
        rows = []
        for (number, _), ids in zip(
            numbered, tokenizer.encode_batch([text for _, text in numbered]), strict=True
        ):
            room = longest - len(tokenizer.opening) - len(tokenizer.closing)
            if len(ids) > room:
                warn(f"text {number}: it has {len(ids)} tokens; only the first {room} are read")
            rows.append(framed(tokenizer, ids, longest))
        found = torch.zeros(len(rows), len(self.labels), dtype=torch.float64)
        for places in alike(rows):
            found[places] = shares(self.model, [rows[place] for place in places])
        return found


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
def shares(model: torch.nn.Module, rows: Sequence[Sequence[int]]) -> Float[Tensor, "rows *token labels"]:
    """The probabilities of all labels for rows of one length; RunError where they are not numbers."""
    tokens = torch.tensor(rows, device=next(model.parameters()).device)
    found: Tensor = model({"tokens": tokens}).double().softmax(dim=-1).cpu()
    if found.isnan().any():
        raise RunError("the model gives scores that are not numbers; its weights are damaged")
    return found
