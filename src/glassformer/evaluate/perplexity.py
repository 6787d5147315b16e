"""How well a model foretells given text: mean loss per token, perplexity and bits per character."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from glassformer.base.errors import RunError, UserError
from glassformer.data.example import Batch
from glassformer.objectives.objective import Loss, Objective


@dataclass(frozen=True)
class Perplexity:
    """Negative log-likelihood, in ``nats``, of ``tokens`` answers (and ``characters``, when known)."""

    nats: float
    tokens: int
    characters: int | None = None

    @property
    def loss(self) -> float:
        """Mean negative log-likelihood per token, in nats."""
        return self.nats / self.tokens

    @property
    def perplexity(self) -> float:
        """exp(loss), per token of this tokeniser; infinite where a float cannot hold it."""
        return math.exp(self.loss) if self.loss < 709.0 else math.inf

    @property
    def bits_per_character(self) -> float | None:
        """Bits per character of the target text, which compares models whose tokenisers differ."""
        return self.nats / math.log(2) / self.characters if self.characters else None

    def as_json(self) -> dict[str, Any]:
        """The figures for machines; a perplexity past all floats is None, since JSON has no infinity."""
        perplexity = self.perplexity if math.isfinite(self.perplexity) else None
        figures = {"loss": self.loss, "perplexity": perplexity, "bits_per_character": self.bits_per_character}
        return {**asdict(self), **figures}


def measure(
    model: nn.Module,
    objective: Objective,
    batches: Iterable[Batch],
    *,
    device: torch.device | None = None,
    characters: int | None = None,
) -> Perplexity:
    """The plain negative log-likelihood of a stream of batches, without dropout and label smoothing.

    An objective whose total is anything else (smoothed, regularised) gives the plain sum as the part ``nll``.
    ``characters`` is the number of characters the answers stand for. Sums are kept in float64, so the figure
    does not depend on how the text was cut into batches. Raises UserError for no batches or no answers,
    RunError for a loss that is not a number. The model is left in the mode it came in.
    """
    nats, tokens = 0.0, 0
    with resting(model), torch.no_grad():
        for number, batch in enumerate(batches, start=1):
            moved = batch if device is None else batch.to(device)
            nats += _plain(objective.loss(model, moved))
            tokens += batch.count
            if math.isnan(nats):
                raise RunError(
                    f"The loss of evaluation batch {number} is not a number; the model's weights are broken: "
                    "go back to an earlier checkpoint."
                )
    if tokens == 0:
        raise UserError("There is nothing to evaluate: the data has no tokens to answer.")
    return Perplexity(nats, tokens, characters)


def _plain(loss: Loss) -> float:
    return float(loss.parts.get("nll", loss.total))


@contextmanager
def resting(model: nn.Module) -> Iterator[None]:
    """The model in eval mode inside; after, each module in its own mode again (a frozen part may rest)."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
