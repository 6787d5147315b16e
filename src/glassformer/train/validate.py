"""How good the model is between two steps, and what counts as better; nothing is decided or written here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.data.example import Batch
from glassformer.objectives.objective import Loss, Objective, Told
from glassformer.train.checkpoint import Best
from glassformer.train.parallel import Group
from glassformer.train.settings import LOWER

Measure = Callable[[nn.Module], Mapping[str, float]]
Judging = Callable[[Mapping[int, Told]], Mapping[str, float]]
"""Figures of what a model tells of the rows of a pass, by their numbers."""


@runtime_checkable
class Pass(Protocol):
    """Validation batches, all of them once (``data.stream.Stream``)."""

    def once(self) -> Iterator[Batch]:
        """One ordered pass."""
        ...


@dataclass(frozen=True)
class Validation:
    """Everything a model is measured by: batches for the loss, and functions that give further figures.

    ``judge`` gives figures of what the model tells of the batches, in the same pass as the loss.
    """

    objective: Objective
    valid: Pass | Measure | None
    evaluate: Measure | None
    judge: Judging | None = None

    def figures(self, model: nn.Module, group: Group, device: torch.device) -> dict[str, float]:
        """All figures by name, equal on every rank; functions are asked on the first rank only."""
        found: dict[str, float] = {}
        functions = [self.valid, self.evaluate]
        if isinstance(self.valid, Pass):
            told: dict[int, Told] | None = {} if self.judge is not None else None
            found = mean_loss(model, self.objective, self.valid.once(), group, device, told=told)
            functions = [self.evaluate]
            if self.judge is not None and told and group.first:
                found |= self.judge(told)
        if group.first:
            training = model.training
            model.eval()
            for function in functions:
                figures = function(model) if callable(function) else {}
                found |= {name: float(value) for name, value in figures.items()}
            model.train(training)
        return group.share(found)


def better(metric: str, figures: Mapping[str, float], best: Best | None, step: int) -> Best:
    """The best of a figure up to now: today's if it beats the best so far; ties and NaN do not."""
    if metric not in figures:
        raise UserError(
            f"train asks for the figure '{metric}', but the evaluation gives only {', '.join(figures)}; "
            f"set train.best and train.early_stopping.metric to one of these"
        )
    value, sign = figures[metric], -1 if metric in LOWER else 1
    if best is None or best.metric != metric or math.isnan(best.value) or sign * value > sign * best.value:
        return Best(metric, value, step)
    return best


@torch.no_grad()
def mean_loss(
    model: nn.Module,
    objective: Objective,
    batches: Iterable[Batch],
    group: Group,
    device: torch.device,
    *,
    told: dict[int, Told] | None = None,
) -> dict[str, float]:
    """Loss and its parts per answer over all batches of all ranks, in evaluation mode, which is put back.

    ``told`` receives what the model tells of every row of all ranks; the objective must have ``told``.
    """
    training = model.training
    model.eval()
    sums: dict[str, Tensor] = {}
    count = 0
    kind = torch.float32 if device.type == "mps" else torch.float64
    for batch in batches:
        if not batch.count:
            continue
        loss = _looked(model, objective, batch.to(device), told)
        for name, part in {"loss": loss.total, **loss.parts}.items():
            sums[name] = sums[name] + part.to(kind) if name in sums else part.to(kind)
        count += batch.count
    model.train(training)
    if told is not None and group.size > 1:
        for other in group.all(dict(told)):
            told |= other
    zero = torch.zeros((), dtype=kind, device=device)
    names = max(group.all(list(sums)), key=len)  # a rank without a single row has not met the parts
    numbers = group.sum_(torch.stack([*(sums.get(name, zero) for name in names), zero + count])).tolist()
    return {name: number / max(1, numbers[-1]) for name, number in zip(names, numbers[:-1], strict=True)}


def _looked(model: nn.Module, objective: Any, batch: Batch, told: dict[int, Told] | None) -> Loss:
    """The loss of a batch; ``told`` receives its rows where they are asked for, out of the same look."""
    if told is None:
        loss: Loss = objective.loss(model, batch)
        return loss
    loss, rows = objective.told(model, batch)
    told.update(zip(batch.rows, rows, strict=True))
    return loss
