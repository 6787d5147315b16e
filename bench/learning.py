"""Training step by step: Glassformer's loop, a plain loop around a peer's model, and both in turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench import peers, same
from bench.measure import Maker, in_turn, opened, timed
from bench.work import SEED
from glassformer.base import machine
from glassformer.data.example import Batch
from glassformer.hub import folder as hub
from glassformer.train.compute import Gradients
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.parallel import Group

FIRST = 3  # steps without dropout whose losses are compared
TOLERANCES = {"float32": 1e-3, "bfloat16": 0.05}  # in those losses
LEARNED_TOLERANCE = 0.25  # after the same steps: dropout and rounding differ, what is learned must not


@dataclass(frozen=True)
class Course:
    """What every system learns: the weights in ``folder``, the batches, and the settings of Adam.

    ``units`` says of each batch how many tokens or images it counts for.
    """

    folder: Path
    batches: list[Batch]
    units: tuple[int, ...]
    objective: Any
    optim: OptimConfig


class Learner(ABC):
    """One model that is trained step by step; the batches go round."""

    course: Course
    model: Any
    done = 0

    @abstractmethod
    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""

    @abstractmethod
    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""

    def lr(self) -> float:
        """The learning rate of the step that comes."""
        return self.course.optim.lr

    def parameters(self) -> int:
        """How many numbers learn."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    def first(self, steps: int) -> list[float]:
        """The losses of the first steps, without dropout; then everything is as at the beginning."""
        self.begin(dropout=False)
        losses: list[float] = self.turn(steps)["losses"]
        self.begin(dropout=True)
        return losses

    def turn(self, steps: int) -> dict[str, Any]:
        """So many steps: how long they took, what they read, and their losses."""
        losses: list[float] = []
        places = [(self.done + step) % len(self.course.batches) for step in range(steps)]

        def work() -> None:
            for place in places:
                losses.append(self.step(self.course.batches[place]))
                self.done += 1

        seconds = timed(work)
        return {
            "seconds": seconds,
            "units": sum(self.course.units[place] for place in places),
            "losses": losses,
        }


class Glass(Learner):
    """Glassformer, step by step as ``trainer.fit`` takes it."""

    def __init__(self, course: Course, precision: str) -> None:
        found = machine.look()
        machine.prepare(found)
        self.course = course
        self.low = machine.precision(precision, found) == "bfloat16"
        self.begin(dropout=True)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        self.done = 0
        loaded = hub.load(self.course.folder)
        config = loaded.config
        if not dropout:
            rates = [name for name in type(config).model_fields if name.endswith("dropout")]
            config = config.model_copy(update=dict.fromkeys(rates, 0.0))
        self.model = type(loaded.model)(config).train()
        self.model.load_state_dict(loaded.model.state_dict())
        self.optimizer = Optimizer(self.model, self.course.optim, bfloat16=self.low)
        self.gradients = Gradients(
            self.model, self.course.objective, self.optimizer, Group(), seed=SEED, compiled=False
        )

    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""
        self.gradients([batch], self.done)
        loss, count = self.optimizer.tail[:2].tolist()
        float(self.optimizer.step(self.lr()))  # the trainer reads the norm at each step on a CPU
        return float(loss / count)


class Peer(Learner):
    """Another's model in the loop one writes by hand, with PyTorch's own settings and its fused Adam.

    ``load(folder, dtype, dropout)`` gives the model, ``mean_loss(model, batch)`` the loss an answer. ``way``
    is ``float32``, ``autocast`` to bfloat16, or ``weights`` that are themselves bfloat16.
    """

    def __init__(
        self,
        course: Course,
        way: str,
        load: Callable[[Path, torch.dtype, bool], nn.Module],
        mean_loss: Callable[[Any, Batch], Tensor],
    ) -> None:
        torch.manual_seed(SEED)
        self.course, self.way, self.load, self.mean_loss = course, way, load, mean_loss
        self.begin(dropout=True)

    def begin(self, *, dropout: bool) -> None:
        """The folder's weights and a new optimiser."""
        self.done = 0
        dtype = torch.bfloat16 if self.way == "weights" else torch.float32
        self.model = self.load(self.course.folder, dtype, dropout).train()
        self.optimizer = _adam(self.model, self.course.optim)

    def step(self, batch: Batch) -> float:
        """One step; gives the loss an answer, before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr()
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.way == "autocast"):
            mean = self.mean_loss(self.model, batch)
        mean.backward()  # type: ignore[no-untyped-call]
        if self.course.optim.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.course.optim.clip)
        self.optimizer.step()
        return float(mean.detach())


def _adam(model: nn.Module, settings: OptimConfig) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.name == "adamw" else torch.optim.Adam
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for parameter in model.parameters():
        if parameter.requires_grad:
            groups[parameter.squeeze().ndim >= 2].append(parameter)
    decays = {True: settings.weight_decay, False: 0.0}
    return kind(
        [{"params": groups[matrix], "weight_decay": decays[matrix]} for matrix in groups],
        lr=settings.lr,
        betas=settings.betas,
        eps=settings.eps,
        fused=True,
    )


def systems(
    work: Any, peer: Callable[..., Peer], glass: Callable[..., Glass], ways: Mapping[str, str]
) -> dict[str, Maker]:
    """Who is measured: the peer, where installed, in its ``ways`` (with their names), and Glassformer."""
    default = machine.precision("auto", machine.look())
    makers: dict[str, Maker] = {}
    if peers.has("transformers"):
        for way, name in ways.items():
            makers[name] = partial(peer, work, way, "sdpa")
            makers[f"{name}, eager attention"] = partial(peer, work, way, "eager")
    for precision in TOLERANCES:
        name = f"Glassformer {precision}" + (" (default here)" if precision == default else "")
        makers[name] = partial(glass, work, precision)
    return makers


def measure(
    makers: Mapping[str, Maker],
    *,
    warm_up: int,
    steps: int,
    repetitions: int,
    apart: bool,
    clock: str = "wall",
) -> dict[str, Any]:
    """How much every system reads a second, turn by turn; NotTheSameWork when they do not do the same.

    ``clock`` is that of the ``wall``, or the time of the ``processor``.
    """
    with opened(makers, apart=apart) as systems:
        parameters = {name: system.call("parameters") for name, system in systems.items()}
        same.equal("parameters", parameters)
        first = {name: system.call("first", FIRST) for name, system in systems.items()}
        check_first(first)
        in_turn(systems, 1, lambda system: system.call("turn", warm_up))
        turns = in_turn(systems, repetitions, lambda system: system.call("turn", steps))
    for number, at_once in enumerate(zip(*turns.values(), strict=True)):
        read = {name: turn["units"] for name, turn in zip(turns, at_once, strict=True)}
        same.equal(f"what is read in turn {number + 1}", read)
    last = {name: sum(found[-1]["losses"]) / steps for name, found in turns.items()}
    same.close("losses after the same steps", last, LEARNED_TOLERANCE)
    return {
        "parameters": next(iter(parameters.values())),
        "first_losses": first,
        "last_loss": last,
        "steps": steps,
        "repetitions": repetitions,
        "rates": {
            name: [turn["units"] / turn["seconds"][clock] for turn in found] for name, found in turns.items()
        },
    }


def check_first(losses: Mapping[str, list[float]]) -> None:
    """All float32 systems against each other, those in bfloat16 against the first of all."""
    reference = next(iter(losses.values()))
    for precision, tolerance in TOLERANCES.items():
        for step, expected in enumerate(reference):
            found = {name: given[step] for name, given in losses.items() if precision_of(name) == precision}
            what = f"losses of step {step + 1} with equal weights in {precision}"
            same.close(what, {"float32 reference": expected} | found, tolerance)


def precision_of(system: str) -> str:
    """What a system multiplies in, from its name."""
    return "bfloat16" if "bfloat16" in system else "float32"


def foreign(kind: str, folder: Path, **options: Any) -> Any:
    """A model of transformers by the name of its class, without its messages."""
    return getattr(peers.transformers(), kind).from_pretrained(folder, **options)
