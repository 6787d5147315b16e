"""Plain gradient descent that moves only the rows a batch has read; and which optimiser a recipe asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from glassformer.base.errors import UserError
from glassformer.train.optim import OptimConfig, Optimizer, Place
from glassformer.train.pace import Paces
from glassformer.train.parallel import Group


class Descent(Optimizer):
    """Stochastic gradient descent, w ← w − lr · gradient (Robbins & Monro 1951); no state but the weights.

    A gradient stays as the backward pass gives it. Where that is sparse, rows of a table, a step costs as
    much as the rows it has, whatever the size of the table, so that word2vec can take many small ones. In
    bfloat16 the gradients of several micro-batches are summed in that precision, and only the rows that moved
    are rounded again.

    Where a batch has many answers of one row, all of which pull before any sees where the others went,
    ``clip_row`` keeps that row from going too far.

    A step looks whether its gradient is finite before it moves anything, so on an accelerator it waits.
    """

    dense: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ()

    def _make(self) -> None:
        self.steps.append(torch.zeros((), dtype=torch.float32, device=self.master.device))

    def begin(self, step: int) -> None:
        """Nothing: all weights learn from the first step on."""

    def zero(self) -> None:
        """Forgets the gradients, and empties the tail."""
        self.tail.zero_()
        for place in self.places:
            place.parameter.grad = None

    @contextmanager
    def micro_batch(self) -> Iterator[None]:
        """Inside, the backward pass of one micro-batch runs; it adds to the gradients that are there."""
        yield

    def idle(self) -> None:
        """Nothing: what no backward pass reached has no gradient."""

    def sum_over(self, group: Group) -> None:
        """Sums gradients and tail over all ranks; between ranks the gradients of all rows are sent."""
        if group.size == 1:
            return
        whole = torch.cat([self.tail, *(_whole(place) for place in self.places)])
        group.sum_(whole)
        self.tail.copy_(whole[: len(self.tail)])
        begin = len(self.tail)
        for place in self.places:
            parameter = place.parameter
            part = whole[begin : begin + parameter.numel()]
            parameter.grad = part.view(parameter.shape).to(parameter.dtype)
            begin += len(part)

    @torch.no_grad()
    def step(self, lr: float) -> Tensor:
        """One step; gives the norm of the mean gradient before clipping."""
        slopes = [(place, _summed(place.parameter.grad)) for place in self.places]
        norms = [_norms(slope) for _, slope in slopes if slope is not None]
        count = float(self.tail[1].clamp(min=1.0))
        norm: Tensor = torch.linalg.vector_norm(torch.cat([*norms, self.tail.new_zeros(1)])) / count
        self.steps[0].add_(1)
        if bool(torch.isfinite(norm)):
            length = lr / (count if self.config.per == "mean" else 1.0)
            if self.config.clip:
                length /= max(1.0, float(norm) / self.config.clip)
            for place, slope in slopes:
                if slope is not None:
                    self._move(place, slope, length, norms.pop(0))
        return norm

    def _move(self, place: Place, slope: Tensor, length: float, norms: Float[Tensor, " row"]) -> None:
        """Takes ``length`` times the gradient from the rows of one weight, and rounds what has moved."""
        master, most = place.view(self.master), self.config.clip_row
        values = (slope._values() if slope.is_sparse else slope).to(master.dtype)
        # The factor that index_add_ has of its own, alpha, takes three times as long as a product before it.
        if most:
            lengths = norms.mul_(length / most).clamp_(min=1.0).reciprocal_().mul_(-length)
            values = values * lengths.view(-1, *[1] * (values.ndim - 1))
        else:
            values = values * -length
        if not slope.is_sparse:
            master.add_(values)
            if self.low is not None:
                place.view(self.low).copy_(master)
            return
        rows = slope._indices()[0]
        master.index_add_(0, rows, values)
        if self.low is not None:
            place.view(self.low).index_copy_(0, rows, master.index_select(0, rows).to(self.low.dtype))


def optimizer(
    model: nn.Module, config: OptimConfig, *, bfloat16: bool = False, paces: Paces | None = None
) -> Optimizer:
    """The optimiser that ``optim.name`` asks for; UserError for layers with paces of their own under sgd."""
    if config.name == "sgd" and paces:
        raise UserError(
            "adapt.layer_decay and adapt.unfreeze_every need optim.name: adam or adamw; sgd has one rate"
        )
    kind = Descent if config.name == "sgd" else Optimizer
    return kind(model, config, bfloat16=bfloat16, paces=paces)


def _summed(slope: Tensor | None) -> Tensor | None:
    """A gradient with each row once."""
    if slope is None or not slope.is_sparse:
        return slope
    rows = slope._indices()[0]
    # Autograd forgets that rows are in order; to sort them again takes ten times as long as to look.
    if bool((rows[1:] > rows[:-1]).all()):
        slope._coalesced_(True)
    return slope.coalesce()


def _norms(slope: Tensor) -> Float[Tensor, " row"]:
    """The norm of each row of a gradient; of those of one number each, of each number."""
    values = slope._values() if slope.is_sparse else slope
    return torch.linalg.vector_norm(values.reshape(len(values), -1).float(), dim=1)


def _whole(place: Place) -> Tensor:
    """The gradient of a whole weight as a row of float32; zeros where no backward pass came."""
    slope = place.parameter.grad
    if slope is None:
        return torch.zeros(place.parameter.numel(), device=place.parameter.device)
    return (slope.to_dense() if slope.is_sparse else slope).flatten().float()
