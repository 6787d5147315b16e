"""What objectives of models that foretell the next token have in common: their loss and their answers."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from glassformer.data.example import Batch
from glassformer.nn.cross_entropy import cross_entropy
from glassformer.objectives.objective import Loss


class Foretelling:
    """The summed cross-entropy of the ``labels`` of a batch; places whose label is -100 count nothing."""

    needs: tuple[str, ...] = ("generates",)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed negative log-likelihood, in nats; its part ``nll`` is the same."""
        hidden: Tensor = model.hidden(batch)  # type: ignore[operator]
        output: Any = model.output
        total, plain = cross_entropy(
            hidden.flatten(0, 1), output.weight, output.bias, batch["labels"].flatten()
        )
        return Loss(total, {"nll": plain})

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The most probable next token at every position."""
        predicted: Tensor = model(batch).argmax(-1)
        return predicted
