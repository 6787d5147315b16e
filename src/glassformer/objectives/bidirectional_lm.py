"""The bidirectional language model: the next token from those before it, the one before from those after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.data.batch import keep, pad
from glassformer.data.example import Batch
from glassformer.nn.cross_entropy import IGNORED, cross_entropy
from glassformer.objectives.objective import Loss
from glassformer.objectives.rows import Rows


class Config(Settings):
    """``separate`` lets no token look into another document; documents are told by their end."""

    name: Literal["bidirectional_lm"] = "bidirectional_lm"
    separate: bool = False


class Objective(Rows):
    """The summed cross-entropy of both directions (Peters et al. 2018, §3.1).

    ::

        row        the  cat     sleeps  </s>
        labels     cat  sleeps  </s>     -      forward
                    -   the     cat     sleeps  backward

    Every inner token is foretold twice and counts twice, so that the mean is that of the two directions.
    """

    needs = ("contextualizes",)

    def _batch(self, rows: list[np.ndarray]) -> Batch:
        tensors = {"tokens": pad(rows, self.pad_id)}
        tensors["labels"] = torch.stack([_labels(rows, 1), _labels(rows, -1)], dim=-1)
        if len({len(row) for row in rows}) > 1:
            tensors["keep"] = keep(rows)
        if self.config.separate:
            ends = (tensors["tokens"] == self.eos_id).long()
            tensors["documents"] = ends.cumsum(1) - ends
            # The next token of an end and the one before a beginning are another document's.
            borders = tensors["documents"].diff(dim=1) != 0
            tensors["labels"][:, :-1, 0].masked_fill_(borders, IGNORED)
            tensors["labels"][:, 1:, 1].masked_fill_(borders, IGNORED)
        return Batch(tensors, int((tensors["labels"] != IGNORED).sum()))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed negative log-likelihood of both directions, in nats.

        Parts: ``nll`` is the same; ``forward`` and ``backward`` are twice that of a direction: each has half
        of the answers.
        """
        asked: Any = model
        parts, total = {}, torch.zeros(())
        for place, (name, hidden) in enumerate(zip(("forward", "backward"), asked.both(batch), strict=True)):
            labels = batch["labels"][..., place].flatten()
            output = asked.output
            one, plain = cross_entropy(hidden.flatten(0, 1), output.weight, output.bias, labels)
            total, parts[name] = total.to(one.device) + one, 2 * plain
        return Loss(total, parts | {"nll": total.detach()})

    def predict(self, model: nn.Module, batch: Batch) -> Int[Tensor, "rows token 2"]:
        """The most probable next token and the most probable one before, at every position."""
        asked: Any = model
        return torch.stack([asked.output(hidden).argmax(-1) for hidden in asked.both(batch)], dim=-1)


def _labels(rows: Sequence[np.ndarray], step: int) -> Int[Tensor, "rows token"]:
    """What stands ``step`` places on from every token, where anything does."""
    found = []
    for row in rows:
        labels = np.full(len(row), IGNORED, dtype=np.int64)
        if step > 0:
            labels[:-1] = row[1:]
        else:
            labels[1:] = row[:-1]
        found.append(labels)
    return pad(found, IGNORED)
