"""Adam over one flat buffer: float32 masters, gradients summed in float32; no loop and no schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.train.pace import AT_ONCE, Pace, Paces
from glassformer.train.parallel import Group

ALIGN = (
    32  # elements: 64 bytes in bfloat16, so that every weight starts on a cache line as a fresh tensor would
)
TAIL = 4  # numbers that ride behind the gradient through the one all-reduce: loss, count, signal, time
MOMENTS = ("exp_avg", "exp_avg_sq")


class OptimConfig(Settings):
    """Adam (Kingma & Ba 2015), AdamW with decoupled weight decay (Loshchilov & Hutter 2019), or ``sgd``.

    ``lr`` is the peak of the schedule. Weight decay touches weights of two or more dimensions; biases and
    norms do not decay. ``clip`` is the largest norm of the mean gradient; ``null`` or 0 leaves it as it is.

    ``per`` is for ``sgd`` alone: a step goes ``lr`` along the gradient of the mean over a batch's answers, or
    ``lr`` for each of its answers, along that of their sum. The latter is word2vec's: a word moves by as much
    whatever the size of a batch. So is ``clip_row``, the longest way that a row of a weight goes in a step.
    """

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    lr: float = Field(default=1e-3, gt=0)
    per: Literal["mean", "answer"] = "mean"
    clip_row: float | None = Field(default=None, ge=0)
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = Field(default=1e-9, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float | None = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> OptimConfig:
        if self.name == "sgd" and self.weight_decay:
            raise ValueError("sgd has no weight decay: leave weight_decay away, or take adamw")
        if self.name != "sgd" and (self.per != "mean" or self.clip_row):
            raise ValueError(f"{self.name} has no {'clip_row' if self.clip_row else 'per'}: it is for sgd")
        return self


@dataclass(frozen=True)
class Place:
    """Where one parameter stands in the flat buffers."""

    name: str
    parameter: nn.Parameter
    start: int
    pace: Pace = AT_ONCE

    def view(self, flat: Tensor) -> Tensor:
        """This parameter's part of a flat buffer, in its own shape."""
        return flat[self.start : self.start + self.parameter.numel()].view(self.parameter.shape)


@dataclass(frozen=True)
class Stretch:
    """A part of the flat buffers that is updated by one call."""

    start: int
    stop: int
    decays: bool
    pace: Pace

    @property
    def cut(self) -> slice:
        """Where it lies."""
        return slice(self.start, self.stop)


class Optimizer:
    """Owns the weights while a model trains.

    Every trainable parameter becomes a view of one flat buffer, its ``.grad`` a view of another, so that
    summing over ranks, measuring, clipping and updating are each one call whatever the number of
    parameters:

        float32     parameters → masters            .grad → gradient
        bfloat16    parameters → copy of masters    .grad → copy, folded into gradient after each micro-batch

    The gradient is that of a *sum*; ``step`` divides it once by the count that rides in ``tail``. A step
    whose gradient is not finite changes nothing. Parameters that do not require a gradient keep their
    values; in bfloat16 they are rounded while training and given back unrounded. A tied parameter has one
    place. ``paces`` are those of parameters that learn slower than others or later: what has one pace is one
    stretch, updated by one call.
    """

    dense: ClassVar[bool] = True
    """Whether there is a gradient of every weight, in one flat buffer."""
    kinds: ClassVar[tuple[str, ...]] = MOMENTS

    def __init__(
        self, model: nn.Module, config: OptimConfig, *, bfloat16: bool = False, paces: Paces | None = None
    ) -> None:
        self.config = config
        self.places, self.stretches, size = _places(model, paces or {})
        if not self.places:
            raise UserError("the model has no trainable parameter; at least one must require a gradient")
        device = self.places[0].parameter.device
        self.master = torch.zeros(size, dtype=torch.float32, device=device)
        self.buffer = torch.zeros(self.dense * size + TAIL, dtype=torch.float32, device=device)
        self.gradient, self.tail = self.buffer[:-TAIL], self.buffer[-TAIL:]
        self.moments = {name: torch.zeros_like(self.master) for name in self.kinds}
        self.low = torch.zeros(size, dtype=torch.bfloat16, device=device) if bfloat16 else None
        self.low_gradient = torch.zeros_like(self.low) if self.low is not None and self.dense else None
        self.frozen = _frozen(model) if bfloat16 else {}
        self.steps: list[Tensor] = []
        self._folded = False
        self._move_in()
        self._make()

    def _move_in(self) -> None:
        """Copies each weight into the flat buffer and points its parameter there; its old memory is freed."""
        for place in self.places:
            place.view(self.master).copy_(place.parameter.data)
        self.refresh()
        self._train()
        for parameter in self.frozen:
            parameter.data = parameter.data.to(torch.bfloat16)

    def _make(self) -> None:
        """PyTorch's fused Adam over the stretches of the flat buffer: what decays and what does not."""
        kind = torch.optim.AdamW if self.config.name == "adamw" else torch.optim.Adam
        if not self.config.weight_decay:
            self.stretches = _joined(self.stretches)
        cuts = [one.cut for one in self.stretches]
        decays = [self.config.weight_decay if one.decays else 0.0 for one in self.stretches]
        weights = [self.master[cut] for cut in cuts]
        adam = kind(
            [
                {"params": [weight], "weight_decay": decay}
                for weight, decay in zip(weights, decays, strict=True)
            ],
            lr=self.config.lr,
            betas=self.config.betas,
            eps=self.config.eps,
            fused=True,
        )
        for weight, cut in zip(weights, cuts, strict=True):
            weight.grad = self.gradient[cut]
            step = torch.zeros((), dtype=torch.float32, device=weight.device)
            self.steps.append(step)
            adam.state[weight] = {"step": step, **{name: flat[cut] for name, flat in self.moments.items()}}
        self._adam = adam

    def zero(self) -> None:
        """Empties the gradient and the tail before the first micro-batch of a step."""
        self.buffer.zero_() if self.low_gradient is None else self.tail.zero_()
        self._folded = False

    @contextmanager
    def micro_batch(self) -> Iterator[None]:
        """Inside, the backward pass of one micro-batch runs; its gradient is then in the float32 sum."""
        low = self.low_gradient
        if low is not None:
            low.zero_()
        yield
        if low is not None:
            # The first one overwrites what the step before left: the sum is never emptied for nothing.
            self.gradient.add_(low) if self._folded else self.gradient.copy_(low)
            self._folded = True

    def idle(self) -> None:
        """Makes the gradient zero: no micro-batch of this step had anything to learn from."""
        self.gradient.zero_()

    def sum_over(self, group: Group) -> None:
        """Sums gradient and tail over all ranks."""
        group.sum_(self.buffer)

    def begin(self, step: int) -> None:
        """Makes ready for a step, counted from 1: what does not learn yet costs no way back."""
        for place in self.places:
            if place.pace.begins > 1:
                place.parameter.requires_grad_(step >= place.pace.begins)
        for one, group in zip(self.stretches, self._adam.param_groups, strict=True):
            # What has no gradient is passed over, its moments and its count of steps too.
            (weight,) = group["params"]
            weight.grad = self.gradient[one.cut] if step >= one.pace.begins else None

    @torch.no_grad()
    def step(self, lr: float) -> Tensor:
        """One Adam step on the mean gradient; gives that gradient's norm before clipping, without waiting."""
        count = self.tail[1].clamp(min=1.0)
        norm: Tensor = torch.linalg.vector_norm(self.gradient) / count
        clip = self.config.clip
        scale = count * (norm / clip).clamp(min=1.0) if clip else count
        for one, group in zip(self.stretches, self._adam.param_groups, strict=True):
            group["lr"] = lr * one.pace.factor
        # The fused kernel divides by grad_scale and skips the step where found_inf is 1, so the mean, the
        # clipping and the guard against NaN cost no pass over memory and no wait for the device.
        vars(self._adam).update(grad_scale=scale, found_inf=(~torch.isfinite(norm)).float())
        self._adam.step()
        self.refresh()
        return norm

    def refresh(self) -> None:
        """Rounds the masters into the weights the model computes with."""
        if self.low is not None:
            self.low.copy_(self.master)

    def finite(self) -> bool:
        """Whether every master weight is a number."""
        return bool(torch.isfinite(self.master).all())

    @contextmanager
    def full(self) -> Iterator[None]:
        """Inside, the model holds its float32 weights: for saving."""
        rounded = {parameter: parameter.data for parameter in self.frozen}
        self.release()
        try:
            yield
        finally:
            self._train()
            for parameter, data in rounded.items():
                parameter.data = data

    def release(self) -> None:
        """Gives the model its float32 weights for good; training is over."""
        for place in self.places:
            place.parameter.requires_grad_(True)
        self._point(self.master, None)
        for parameter, data in self.frozen.items():
            parameter.data = data

    def _train(self) -> None:
        """Points the model at what it computes with."""
        if self.low is None:
            self._point(self.master, self.gradient if self.dense else None)
        else:
            self._point(self.low, self.low_gradient)

    def _point(self, flat: Tensor, gradient: Tensor | None) -> None:
        for place in self.places:
            place.parameter.grad = None  # its type must be the data's, so it goes first
            place.parameter.data = place.view(flat)
            place.parameter.grad = None if gradient is None else place.view(gradient)

    def flats(self) -> tuple[Tensor, ...]:
        """Everything that makes up the state, as it lies in memory: what ranks must have in common."""
        return (self.master, *self.moments.values(), *self.steps)

    def state_dict(self) -> dict[str, Tensor]:
        """Masters, moments and the step count as named tensors, one per parameter; views, not copies."""
        flats = {"master": self.master, **self.moments}
        tensors = {f"{kind}.{p.name}": p.view(flat) for kind, flat in flats.items() for p in self.places}
        # Stretches of one pace have taken the same steps.
        counts = {_count(one.pace): step for one, step in zip(self.stretches, self.steps, strict=False)}
        return tensors | counts

    def load_state_dict(self, tensors: Mapping[str, Tensor]) -> None:
        """Takes back what ``state_dict`` gave; UserError when it was written for another model."""
        mine = self.state_dict()
        wrong = [
            name
            for name in sorted(mine.keys() | tensors.keys())
            if name not in mine or name not in tensors or mine[name].shape != tensors[name].shape
        ]
        if wrong:
            raise UserError(
                f"the saved training state is of another model: {wrong[0]} and {len(wrong) - 1} more "
                f"of {len(mine)} tensors do not fit; resume with the model settings it was started with"
            )
        for name, tensor in mine.items():
            tensor.copy_(tensors[name])
        for one, step in zip(self.stretches, self.steps, strict=False):
            step.copy_(tensors[_count(one.pace)])
        self.refresh()


def _places(model: nn.Module, paces: Paces) -> tuple[list[Place], list[Stretch], int]:
    """Every trainable parameter once, by its pace and those that decay first; the stretches; their size."""
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    kinds = [(paces.get(name, AT_ONCE), p.ndim < 2) for name, p in trainable]
    order = sorted(zip(kinds, trainable, strict=True), key=lambda one: one[0])
    places: list[Place] = []
    stretches: list[Stretch] = []
    start = 0
    for (pace, alone), several in groupby(order, key=lambda one: one[0]):
        began = start
        for _, (name, parameter) in several:
            places.append(Place(name, parameter, start, pace))
            start += -(-parameter.numel() // ALIGN) * ALIGN
        stretches.append(Stretch(began, start, not alone, pace))
    return places, stretches, start


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    """Where nothing decays, what has one pace is one stretch."""
    found = [[*several] for _, several in groupby(stretches, key=lambda one: one.pace)]
    return [Stretch(some[0].start, some[-1].stop, False, some[0].pace) for some in found]


def _count(pace: Pace) -> str:
    """What the count of steps of a pace is called in the saved state."""
    return "step" if pace.begins == 1 else f"step.from.{pace.begins}"


def _frozen(model: nn.Module) -> dict[nn.Parameter, Tensor]:
    """The parameters that do not learn but take part in the sums, with their own values."""
    fixed = (p for p in model.parameters() if not p.requires_grad and p.dtype == torch.float32)
    return {parameter: parameter.data for parameter in fixed}
