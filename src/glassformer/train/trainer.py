"""The training loop, once, for every model and objective: step, log, evaluate, save, stop, resume."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from glassformer.base import machine, report
from glassformer.base.errors import RunError, Stopped, UserError
from glassformer.data.example import Batch
from glassformer.data.stream import Position
from glassformer.nn.recompute import recompute
from glassformer.objectives.objective import Objective
from glassformer.train import descent, parallel
from glassformer.train.checkpoint import Best, Checkpoints, RunState, identity
from glassformer.train.compute import Gradients
from glassformer.train.interrupt import Interrupt
from glassformer.train.ledger import Ledger
from glassformer.train.metrics import Metrics
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.pace import Paces
from glassformer.train.schedule import ScheduleConfig, check, rate
from glassformer.train.settings import EarlyStopping, TrainConfig
from glassformer.train.validate import Judging, Measure, Pass, Validation, better
from glassformer.train.watch import ADVICE, Watch

__all__ = ["EarlyStopping", "Outcome", "Plan", "TrainConfig", "fit"]

READ_EVERY = 20  # steps between two looks at the numbers on an accelerator, where each look waits for it


@runtime_checkable
class Endless(Protocol):
    """Training batches without end, each with the position after it (``data.stream.Stream``)."""

    def batches(self, position: Position = ...) -> Iterator[tuple[Batch, Position]]:
        """Batches from ``position`` on."""
        ...


@dataclass(frozen=True)
class Plan:
    """The three parts of a recipe that a run is trained by, and the pace of each layer where they differ."""

    optim: OptimConfig
    schedule: ScheduleConfig
    train: TrainConfig
    paces: Paces | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    ``seconds`` were spent on steps, without evaluation and saving, over all its starts; ``tokens`` are the
    answers learned from (target tokens, in translation); losses are per answer. ``figures`` are those of the
    best model. ``reason`` is one of steps, epochs, time limit, early stopping.
    """

    steps: int
    seconds: float
    tokens: int
    tokens_per_second: float
    train_loss: float | None
    figures: Mapping[str, float]
    best: Best | None
    reason: str
    output: Path


def fit(
    model: nn.Module,
    objective: Objective,
    stream: Endless,
    plan: Plan,
    *,
    output: Path,
    save: Callable[[Path], None],
    valid: Pass | Measure | None = None,
    evaluate: Measure | None = None,
    judge: Judging | None = None,
    resume: bool = False,
    recipe: str = "",
    key: str = "",
    device: str | None = None,
    vocab_size: int | None = None,
    unigram: float | None = None,
) -> Outcome:
    """Trains ``model`` in place and leaves it with float32 weights; ``output`` becomes a folder as in
    ``Checkpoints``.

    ``save(folder)`` writes the model as it then is into an empty folder. ``valid`` is batches for the loss
    per answer, or a function of the model that gives figures; ``evaluate`` gives further figures, such as
    ``bleu``, and ``judge`` figures of what the model tells of the batches. ``recipe`` is written to
    ``output/recipe.yaml``. ``key`` is any text that must be equal for a run to be resumed. ``vocab_size`` and
    ``unigram``, the entropy of the answers' frequencies, are for warnings only.

    Raises UserError (folder, settings), RunError (loss or disk), Stopped (Ctrl-C or SIGTERM, after saving).
    """
    check(plan.schedule, plan.train.steps)
    place = parallel.own_device(torch.device(device or machine.look().device))
    validation = Validation(objective, valid, evaluate, judge)
    with ExitStack() as stack:
        group = stack.enter_context(parallel.joined(place))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(_deterministic(plan.train.deterministic))
        interrupt = stack.enter_context(Interrupt())
        _recomputing(model, plan.train, stack)
        optimizer = _optimizer(model.to(place), plan)
        stack.callback(optimizer.release)
        folder = Checkpoints(
            output, save, identity=_identity(optimizer, plan, key), recipe=recipe, keep=plan.train.keep_last
        )
        stack.callback(folder.close)
        state = _begin(folder, model, optimizer, group, resume=resume)
        metrics = Metrics(output, state.step) if group.first else None
        if metrics is not None:
            stack.callback(metrics.close)
        ledger = Ledger(state, Watch(vocab_size, unigram), metrics)
        gradients = Gradients(
            model, objective, optimizer, group, seed=plan.train.seed, compiled=_compiles(plan.train, place)
        )
        run = _Run(
            model, stream, plan, place, group, interrupt, optimizer, folder, ledger, gradients, validation
        )
        return run.go()


def _recomputing(model: nn.Module, config: TrainConfig, stack: ExitStack) -> None:
    """Has the layers recompute while the run lasts, where it is asked for."""
    if not config.gradient_checkpointing:
        return
    if not recompute(model, True):
        raise UserError("train.gradient_checkpointing: this model has no Transformer blocks; leave it out")
    stack.callback(recompute, model, False)


def _optimizer(model: nn.Module, plan: Plan) -> Optimizer:
    low = machine.precision(plan.train.precision, machine.look()) == "bfloat16"
    return descent.optimizer(model, plan.optim, bfloat16=low, paces=plan.paces)


def _compiles(config: TrainConfig, device: torch.device) -> bool:
    """On the CPU, batches of ever new lengths cost more than compiling saves; there it must be asked for."""
    if config.compile == "auto":
        return device.type == "cuda" and machine.look().compiler
    return config.compile


def _identity(optimizer: Optimizer, plan: Plan, key: str) -> str:
    shapes = [(place.name, list(place.parameter.shape)) for place in optimizer.places]
    digest = hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]
    return identity({"key": key, "parameters": digest, "seed": plan.train.seed})


def _begin(
    folder: Checkpoints, model: nn.Module, optimizer: Optimizer, group: parallel.Group, *, resume: bool
) -> RunState:
    """Finds on the first rank where to begin, and brings every rank there."""
    state, trouble = RunState(), ""
    if group.first:
        try:
            state, tensors = folder.open(resume=resume)
            if tensors:
                _load(model, optimizer, tensors)
        except UserError as error:
            if group.size == 1:
                raise
            trouble = str(error)
    else:
        report.quiet()
    state, trouble = group.share((state, trouble))
    if trouble:
        raise UserError(trouble)
    for tensor in (*optimizer.flats(), *_buffers(model).values()):
        group.share_(tensor)
    optimizer.refresh()
    return state


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers that belong to the model's state."""
    lasting = model.state_dict()
    return {name: buffer for name, buffer in model.named_buffers() if name in lasting}


def _load(model: nn.Module, optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    for name, buffer in _buffers(model).items():
        buffer.copy_(tensors.pop(f"buffer.{name}", buffer))
    optimizer.load_state_dict(tensors)


@dataclass
class _Run:
    """One call of ``fit``: the loop and what is due in it."""

    model: nn.Module
    stream: Endless
    plan: Plan
    device: torch.device
    group: parallel.Group
    interrupt: Interrupt
    optimizer: Optimizer
    folder: Checkpoints
    ledger: Ledger
    gradients: Gradients
    validation: Validation

    def __post_init__(self) -> None:
        self.config, self.state = self.plan.train, self.ledger.state
        self.began = time.monotonic()

    def go(self) -> Outcome:
        """Trains to the end of the run or to a signal."""
        self.model.train()
        if self.state.step > 0:
            self.ledger.say(f"going on from step {self.state.step} of {self.folder.path}")
        elif self.config.evaluate_first:
            self._evaluate()
            self._save_best()
        batches = self.stream.batches(self.state.position)
        bar = report.progress(self.config.steps, "training", done=self.state.step)
        with bar as self.ledger.counter, _closing(batches):
            self.ledger.restart()
            over = self._over()
            while not over:
                epoch = self.state.position.epoch
                self._step(batches)
                over = self._after_step(epoch_over=self.state.position.epoch > epoch)
            self.ledger.read(self._rate())
        return self._end(over)

    def _step(self, batches: Iterator[tuple[Batch, Position]]) -> None:
        """Takes ``accumulate`` batches, moves the weights once, and waits for nothing."""
        state, tail, taken = self.state, self.optimizer.tail, []
        for _ in range(self.config.accumulate):
            batch, state.position = next(batches)
            taken.append(batch.to(self.device))
        self.optimizer.begin(state.step + 1)
        self.gradients(taken, state.step + 1)
        if self.interrupt.number:
            tail[2].fill_(self.interrupt.number)
        if self.config.time_limit and time.monotonic() - self.began >= 60 * self.config.time_limit:
            tail[3].fill_(1)
        self.optimizer.sum_over(self.group)
        state.step += 1
        self.ledger.note(tail, self.optimizer.step(self._rate()))

    def _after_step(self, *, epoch_over: bool) -> str:
        """Does what is due at this step; gives why the run ends here, or nothing."""
        config = self.config
        rhythms = (config.log_every, config.evaluate_every, config.save_every)
        logging, evaluating, saving = (self._due(every) for every in rhythms)
        if (
            logging
            or evaluating
            or saving
            or epoch_over
            or self._due(1 if self.device.type == "cpu" else READ_EVERY)
        ):
            self.ledger.read(self._rate())
        if logging:
            self.ledger.log(self._rate())
        if epoch_over:
            self.ledger.epoch(aloud=config.epochs is not None)
        if evaluating:
            self._evaluate()
        over = self._over()  # then the end of the run saves
        if saving and not over:
            self._save()
        elif evaluating and not over:
            self._save_best()
        return over

    def _over(self) -> str:
        """Why the run ends here; empty while it does not. Ranks agree, as what they ask is equal on all."""
        config, state = self.config, self.state
        alone = self.interrupt.number if self.group.size == 1 else 0
        reasons = {
            "signal": max(self.ledger.signal, alone) > 0,
            "steps": config.steps is not None and state.step >= config.steps,
            "epochs": config.epochs is not None and state.position.epoch >= config.epochs,
            "early stopping": config.early_stopping is not None
            and state.stale >= config.early_stopping.patience,
            "time limit": self.ledger.late > 0,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _end(self, reason: str) -> Outcome:
        """The last evaluation and save; a run that was stopped only saves, so that it can go on exactly."""
        if reason == "signal":
            self._save()
            self.group.wait()  # a rank that left early would have the others ended while they save
            number = self.interrupt.number or signal.SIGTERM
            raise Stopped(f"stopped at step {self.state.step} and saved; go on with --resume", number)
        if self.state.loss_count:
            self.ledger.log(self._rate())
        if self.state.evaluated != self.state.step:
            self._evaluate()
        self._save()
        if self.group.first:
            left = self.folder.finish(self.state)
            path = self.folder.path
            self.ledger.warn([f"{path / name} was there before and stays as it was" for name in left])
        self.group.wait()
        state = self.state
        return Outcome(
            steps=state.step,
            seconds=state.seconds,
            tokens=state.tokens,
            tokens_per_second=self.ledger.speed,
            train_loss=state.train_loss,
            figures=state.figures,
            best=state.best,
            reason=reason,
            output=self.folder.path,
        )

    def _due(self, every: int) -> bool:
        return every > 0 and self.state.step % every == 0

    def _rate(self) -> float:
        step, steps = max(1, self.state.step), self.config.steps or 0
        return rate(self.plan.schedule, step, peak=self.plan.optim.lr, steps=steps)

    def _evaluate(self) -> None:
        """Measures the model and notes whether it is the best so far."""
        state = self.state
        figures = self.validation.figures(self.model, self.group, self.device)
        state.evaluated = state.step
        if figures:
            self.ledger.evaluated(figures)
            state.best = better(self.config.best, figures, state.best, state.step)
            if state.best.step == state.step:
                state.figures = figures
            if stopping := self.config.early_stopping:
                state.aim = better(stopping.metric, figures, state.aim, state.step)
                state.stale = 0 if state.aim.step == state.step else state.stale + 1
        self.ledger.restart()

    def _save(self) -> None:
        """Writes ``last/`` and what follows from it."""
        with self._saving() as mine:
            if mine:
                buffers = {f"buffer.{name}": buffer for name, buffer in _buffers(self.model).items()}
                tensors = self.optimizer.state_dict() | buffers
                self.folder.save_last(self.state, tensors, keep=self._due(self.config.save_every))

    def _save_best(self) -> None:
        """Writes ``best/`` at a step that is not saved otherwise."""
        if self.state.best is not None and self.state.best.step == self.state.step:
            with self._saving() as mine:
                if mine:
                    self.folder.save_best()

    @contextmanager
    def _saving(self) -> Iterator[bool]:
        """Inside, on the first rank, the model holds float32 weights that are known to be numbers."""
        if self.group.first and not self.optimizer.finite():
            raise RunError(f"the weights are not numbers at step {self.state.step}; {ADVICE}")
        with self.optimizer.full():
            yield self.group.first
        self.ledger.restart()


@contextmanager
def _closing(batches: Iterator[tuple[Batch, Position]]) -> Iterator[None]:
    """Ends a stream's workers with the loop, where it is a generator that has any."""
    try:
        yield
    finally:
        if isinstance(batches, Generator):
            batches.close()


@contextmanager
def _deterministic(wanted: bool) -> Iterator[None]:
    """Inside, PyTorch refuses kernels whose sums depend on timing. On the CPU nothing changes."""
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
