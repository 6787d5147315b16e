"""What is told of a text: one label, several, or a number; how it is stored, scored and judged.

Which texts are read, and by which model, is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.nn.headed import Head, Tells
from glassformer.objectives.labelling import label_loss, number_of
from glassformer.objectives.objective import Loss, Told


@runtime_checkable
class Telling(Protocol):
    """One kind of answer, made with the ``config`` of an objective, the ``head`` and weights of its labels.

    ``judge`` names the file of ``evaluate/judges`` with the figures of such answers.
    """

    judge: str

    def stored(self, example: Example) -> np.ndarray:
        """The answer of an example as integers; UserError with its place where it is none."""
        ...

    def batched(self, stored: Sequence[np.ndarray]) -> Tensor:
        """The answers of a batch."""
        ...

    def loss(self, scores: Tensor, answers: Tensor, *, training: bool) -> Loss:
        """The summed loss over ``answers.numel()`` answers."""
        ...

    def shares(self, scores: Tensor) -> Tensor:
        """What scores mean: probabilities, or the numbers themselves."""
        ...

    def decided(self, shares: Tensor) -> Tensor:
        """What is told, in the form of ``batched``."""
        ...

    def told(self, shares: Tensor, answers: Tensor) -> list[Told]:
        """What a judge reads of each row: ``true``, ``told`` and ``share``."""
        ...


class Label:
    """One of the labels: its number. The loss is the cross-entropy, in nats."""

    judge = "labels"

    def __init__(self, config: Any, head: Head, weights: Float[Tensor, " labels"] | None) -> None:
        self.labels, self.smoothing, self.weights = head.labels, config.label_smoothing, weights

    def stored(self, example: Example) -> np.ndarray:
        """The number of the label; UserError for a label never seen, and for several."""
        label = example.fields["label"]
        if isinstance(label, tuple):
            raise UserError(
                f"{example.where}: has {len(label)} labels in a list; one is told here, several by the "
                "objective multi_label"
            )
        return np.array([number_of(label, self.labels, example.where)], dtype=np.int32)

    def batched(self, stored: Sequence[np.ndarray]) -> Tensor:
        """A number for each text."""
        return torch.tensor([int(one[0]) for one in stored])

    def loss(self, scores: Tensor, answers: Tensor, *, training: bool) -> Loss:
        """Smoothed and weighted in training; parts ``nll``, in nats, and ``accuracy``."""
        changed = (self.smoothing, self.weights) if training else (0.0, None)
        total, plain, right = label_loss(scores, answers, *changed)
        return Loss(total, {"nll": plain, "accuracy": right})

    def shares(self, scores: Tensor) -> Tensor:
        """The probability of each label; they sum to one."""
        return scores.double().softmax(dim=-1)

    def decided(self, shares: Tensor) -> Tensor:
        """The number of the likeliest label."""
        return shares.argmax(dim=-1)

    def told(self, shares: Tensor, answers: Tensor) -> list[Told]:
        """``true`` and ``told`` are numbers of labels, ``share`` the probability of each."""
        return _rows(answers[:, None], self.decided(shares)[:, None], shares)


class Labels:
    """Any of the labels, each by itself: a row of yes and no. The loss is the binary cross-entropy of each.

        loss = -Σ_labels  w_l (y_l log p_l + (1 - y_l) log(1 - p_l)),  p_l = σ(s_l)

    Smoothing by ε asks for 1 - ε/2 in the place of a yes and ε/2 in that of a no. A label is told where its
    probability reaches the head's ``threshold``.
    """

    judge = "sets"

    def __init__(self, config: Any, head: Head, weights: Float[Tensor, " labels"] | None) -> None:
        self.labels, self.smoothing, self.weights = head.labels, config.label_smoothing, weights
        self.threshold = head.threshold

    def stored(self, example: Example) -> np.ndarray:
        """The numbers of the labels, of which there may be none; UserError for a label never seen."""
        told = example.fields["label"]
        several = told if isinstance(told, tuple) else (told,)
        return np.array([number_of(one, self.labels, example.where) for one in several], dtype=np.int32)

    def batched(self, stored: Sequence[np.ndarray]) -> Tensor:
        """For each text and label whether it holds."""
        found = torch.zeros(len(stored), len(self.labels), dtype=torch.bool)
        for row, numbers in zip(found, stored, strict=True):
            row[torch.from_numpy(numbers.astype(np.int64))] = True
        return found

    def loss(self, scores: Tensor, answers: Tensor, *, training: bool) -> Loss:
        """Smoothed and weighted in training; part ``nll``, in nats; every label of every text counts one."""
        smoothing, weights = (self.smoothing, self.weights) if training else (0.0, None)
        wanted = answers.float()
        asked = wanted * (1 - smoothing) + smoothing / 2
        weights = None if weights is None else weights.to(scores.device)
        total = functional.binary_cross_entropy_with_logits(scores, asked, weights, reduction="sum")
        with torch.no_grad():
            plain = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum")
        return Loss(total, {"nll": plain})

    def shares(self, scores: Tensor) -> Tensor:
        """The probability of each label by itself."""
        return scores.double().sigmoid()

    def decided(self, shares: Tensor) -> Tensor:
        """For each label whether it is told."""
        return shares >= self.threshold

    def told(self, shares: Tensor, answers: Tensor) -> list[Told]:
        """``true`` and ``told`` say of each label whether it holds, ``share`` is its probability."""
        return _rows(answers, self.decided(shares), shares)


class Number:
    """A number in the scale of its column, as a single score. The loss is the squared error."""

    judge = "numbers"

    def __init__(self, *about: Any) -> None:
        del about  # a number has no labels to be weighed or smoothed over

    def stored(self, example: Example) -> np.ndarray:
        """The bits of the number in float32, since stores keep integers; UserError for what is none."""
        return np.array([value_of(example)], dtype=np.float32).view(np.int32)

    def batched(self, stored: Sequence[np.ndarray]) -> Tensor:
        """A number for each text."""
        bits = np.array([one[0] for one in stored], dtype=np.int64).astype(np.int32)
        return torch.from_numpy(bits.view(np.float32).copy())

    def loss(self, scores: Tensor, answers: Tensor, *, training: bool) -> Loss:  # noqa: ARG002 - the same
        """Part ``absolute_error``, in the unit of the numbers."""
        away = scores.reshape(answers.shape) - answers
        return Loss(away.square().sum(), {"absolute_error": away.detach().abs().sum()})

    def shares(self, scores: Tensor) -> Tensor:
        """The numbers, one a row."""
        return scores.double().reshape(len(scores))

    def decided(self, shares: Tensor) -> Tensor:
        """The numbers."""
        return shares

    def told(self, shares: Tensor, answers: Tensor) -> list[Told]:
        """``true`` and ``told`` are numbers."""
        return _rows(answers[:, None], shares[:, None], shares[:, None])


TELLINGS: Mapping[Tells, Any] = {"label": Label, "labels": Labels, "number": Number}
"""By what a head tells."""


def value_of(example: Example) -> float:
    """The number that an example is to be told by; UserError with its place where it has none."""
    label = example.fields["label"]
    try:
        value = float(label)
    except (TypeError, ValueError):
        value = float("nan")
    if not abs(value) <= float(np.finfo(np.float32).max):  # nor is NaN
        shown = ", ".join(label) if isinstance(label, tuple) else label
        raise UserError(f"{example.where}: {shown!r} is no number; a number is to be told of every text")
    return value


def _rows(true: Tensor, told: Tensor, share: Tensor) -> list[Told]:
    columns = zip(*(one.detach().cpu().numpy() for one in (true, told, share)), strict=True)
    return [{"true": one, "told": other, "share": third} for one, other, third in columns]
