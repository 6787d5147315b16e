"""What objectives that give labels have in common: numbers of labels, their weights, and their loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.base.plugins import suggest
from glassformer.data.example import Batch
from glassformer.nn.cross_entropy import IGNORED
from glassformer.nn.headed import Head
from glassformer.objectives.objective import Loss
from glassformer.text.tokenizer import TokenizerPair

BODIES = ("generates", "encodes", "contextualizes")
"""Abilities of bodies that give a hidden state for every token of a text."""


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""How much a label counts in training."""


class LabelConfig(Settings):
    """``label_smoothing`` is the share of the target spread over all labels (Szegedy et al. 2016).

    ``class_weights`` says how much an answer of a label counts in training, 1 where nothing is given;
    ``balanced`` weighs labels by how rare they are too, so that each counts as much as any other in all.
    ``dropout`` is that before the head.
    """

    dropout: float = Field(0.1, ge=0, lt=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    class_weights: dict[str, Weight] = Field(default_factory=dict)
    balanced: bool = False


class Labelling:
    """An objective that gives labels, under a head that stands on any body."""

    needs: tuple[str, ...] = BODIES
    frame = "both"
    answers: str | None = None
    shaping: tuple[str, ...] = ()

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None, head: Head) -> None:
        del tokenizers  # the model's configuration has the id of the padding
        self.config, self.labels, self.longest = config, head.labels, head.max_length
        self.pad_id = numbers.pad_id
        self.weights = torch.tensor(head.weights) if head.weights else None

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss, smoothed and weighted in training; parts ``nll``, in nats, and ``accuracy``."""
        return self._loss(model(batch), batch, training=model.training)

    def _loss(self, scores: Tensor, batch: Batch, *, training: bool) -> Loss:
        changed = (self.config.label_smoothing, self.weights) if training else (0.0, None)
        total, plain, right = label_loss(scores, batch["labels"], *changed)
        return Loss(total, {"nll": plain, "accuracy": right})


def number_of(label: str, labels: Sequence[str], where: str) -> int:
    """The place of a label among those that were learned; UserError, with ``where``, for another."""
    try:
        return labels.index(label)
    except ValueError:
        some = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
        raise UserError(
            f"{where}: the label {label!r} is not among those of the training data ({some})"
            f"{suggest(label, labels)}"
        ) from None


def weights_of(config: LabelConfig, facts: Mapping[str, Any]) -> tuple[float, ...]:
    """How much each label of the data counts, 1 where nothing is given; nothing where all count alike.

        balanced:  w_l = N / (L · n_l), of N answers n_l of which have the label l, among L labels

    Raises UserError for a label that is not there.
    """
    labels, given = facts["labels"], config.class_weights
    for label in given:
        number_of(label, labels, "objective.class_weights")
    if not given and not config.balanced:
        return ()
    counts = facts["counts"] if config.balanced else (1,) * len(labels)
    rare = [sum(counts) / (len(counts) * count) if count else 1.0 for count in counts]
    return tuple(float(given.get(label, 1.0)) * weight for label, weight in zip(labels, rare, strict=True))


def label_loss(
    scores: Float[Tensor, "*rows labels"],
    labels: Int[Tensor, "*rows"],
    smoothing: float = 0.0,
    weights: Float[Tensor, " labels"] | None = None,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Int[Tensor, ""]]:
    """The summed loss; without gradient the summed negative log-likelihood, in nats, and how many are right.

        loss = Σ_rows  (1 - ε) w_y (-log p_y) + ε · mean_v(-w_v log p_v)          (Szegedy et al. 2016)

    Places whose label is -100 count nothing.
    """
    scores, labels = scores.flatten(0, -2), labels.flatten()
    weights = None if weights is None else weights.to(scores.device)
    options = {"reduction": "sum", "ignore_index": IGNORED}
    total = functional.cross_entropy(scores, labels, weights, label_smoothing=smoothing, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        plain = functional.cross_entropy(scores, labels, **options)  # type: ignore[arg-type]
        right = ((scores.argmax(-1) == labels) & (labels != IGNORED)).sum()
    return total, plain, right
