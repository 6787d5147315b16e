"""The training loop, once, for every model and objective: step, log, evaluate, save, stop, resume."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from glassformer.base import machine, report
from glassformer.base.errors import RunError, Stopped, UserError
from glassformer.data.example import Batch
from glassformer.data.stream import Position
from glassformer.objectives.objective import Objective
from glassformer.train import parallel
from glassformer.train.checkpoint import Best, Checkpoints, RunState, identity
from glassformer.train.compute import Gradients, mean_loss
from glassformer.train.interrupt import Interrupt
from glassformer.train.metrics import Metrics
from glassformer.train.optim import OptimConfig, Optimizer
from glassformer.train.schedule import ScheduleConfig, check, rate
from glassformer.train.settings import EarlyStopping, TrainConfig
from glassformer.train.watch import ADVICE, Watch

__all__ = ["EarlyStopping", "Outcome", "Plan", "TrainConfig", "fit"]

READ_EVERY = 20  # steps between looks at numbers on an accelerator, where each look waits for it


@runtime_checkable
class Endless(Protocol):
    """Training batches without end, each with the position after it, from any position (``data.stream.Stream``)."""

    def batches(self, position: Position = ...) -> Iterator[tuple[Batch, Position]]:
        """Batches from ``position`` on."""
        ...


@runtime_checkable
class Pass(Protocol):
    """Validation batches, all of them once."""

    def once(self) -> Iterator[Batch]:
        """One ordered pass."""
        ...


Measure = Callable[[nn.Module], Mapping[str, float]]


@dataclass(frozen=True)
class Plan:
    """The three parts of a recipe that a run is trained by."""

    optim: OptimConfig
    schedule: ScheduleConfig
    train: TrainConfig


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``seconds`` is time spent training, without evaluation and saving; loss is per answer."""

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
    resume: bool = False,
    recipe: str = "",
    key: str = "",
    device: str | None = None,
    vocab_size: int | None = None,
    unigram: float | None = None,
) -> Outcome:
    """Trains ``model`` in place and leaves it with float32 weights; ``output`` becomes a folder as in ``Checkpoints``.

    ``save(folder)`` writes the model as it then is into an empty folder. ``valid`` is batches for the loss per answer,
    or a function of the model giving figures; ``evaluate`` gives further figures such as ``bleu`` (run by the first
    rank). ``key`` must be equal for a run to be resumed: the caller puts in what makes a run another run. ``unigram``
    is the entropy of the answers' frequencies, for a warning.

    Raises UserError (folder, settings), RunError (no finite loss, full disk), Stopped (Ctrl-C, SIGTERM, after saving).
    """
    check(plan.schedule, plan.train.steps)
    place = parallel.own_device(torch.device(device or machine.look().device))
    with ExitStack() as stack:
        group = stack.enter_context(parallel.joined(place))
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(_deterministic(plan.train.deterministic))
        interrupt = stack.enter_context(Interrupt())
        run = _Run(model.to(place), objective, stream, plan, place, group, interrupt)
        run.valid, run.evaluate = valid, evaluate
        run.watch = Watch(vocab_size, unigram)
        shapes = [(name, list(p.shape)) for name, p in model.named_parameters() if p.requires_grad]
        digest = hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]
        owner = identity({"key": key, "parameters": digest, "seed": plan.train.seed})
        run.folder = Checkpoints(output, save, identity=owner, recipe=recipe, keep=plan.train.keep_last)
        try:
            run.open(resume=resume)
            return run.go()
        finally:
            run.close()


class _Run:
    """One call of ``fit``: the loop's state and its turns."""

    folder: Checkpoints
    watch: Watch
    valid: Pass | Measure | None
    evaluate: Measure | None

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        stream: Endless,
        plan: Plan,
        device: torch.device,
        group: parallel.Group,
        interrupt: Interrupt,
    ) -> None:
        config, look = plan.train, machine.look()
        low = machine.precision(config.precision, look) == "bfloat16"
        compiled = config.compile is True or (
            config.compile == "auto" and device.type == "cuda" and look.compiler
        )
        self.model, self.objective, self.stream = model, objective, stream
        self.plan, self.config, self.device, self.group, self.interrupt = (
            plan,
            config,
            device,
            group,
            interrupt,
        )
        self.optimizer = Optimizer(model, plan.optim, bfloat16=low)
        self.gradients = Gradients(
            model, objective, self.optimizer, group, seed=config.seed, compiled=compiled
        )
        self.read_every = 1 if device.type == "cpu" else READ_EVERY
        self.state = RunState()
        self.metrics: Metrics | None = None
        self.pending: list[Tensor] = []
        self.norm = 0.0
        self.signal = 0
        self.late = False
        self.since = [0.0, 0.0]  # loss and count since the last evaluation
        self.counter: report.Counter
        self.began = self.mark = time.monotonic()

    def open(self, *, resume: bool) -> None:
        """Finds where to begin, on the first rank, and brings every rank there."""
        tensors: dict[str, Tensor] = {}
        trouble = ""
        if self.group.first:
            try:
                self.state, tensors = self.folder.open(resume=resume)
                if tensors:
                    self._load(tensors)
                self.metrics = Metrics(self.folder.path, self.state.step)
            except UserError as error:
                if self.group.size == 1:
                    raise
                trouble = str(error)
        else:
            report.quiet()
        self.state, trouble = self.group.share((self.state, trouble))
        if trouble:
            raise UserError(trouble)
        for tensor in (*self.optimizer.flats(), *self._buffers().values()):
            self.group.share_(tensor)
        self.optimizer.refresh()

    def close(self) -> None:
        """Lets go of the files and gives the model its float32 weights."""
        self.optimizer.release()
        self.folder.close()
        if self.metrics is not None:
            self.metrics.close()

    def go(self) -> Outcome:
        """Trains to the end of the run or to a signal."""
        self.model.train()
        if self.state.step > 0:
            self._say(f"going on from step {self.state.step} of {self.folder.path}")
        elif self.config.evaluate_first:
            self._evaluate()
        batches = self.stream.batches(self.state.position)
        shown = report.progress(self.config.steps, "training", done=self.state.step)
        with shown as self.counter, closing(batches):  # type: ignore[type-var]
            self.mark = time.monotonic()
            over = self._over()
            while not over:
                self._step(batches)
                over = self._after_step()
        return self._end(over)

    def _step(self, batches: Iterator[tuple[Batch, Position]]) -> None:
        """Takes ``accumulate`` batches, moves the weights once, and waits for nothing."""
        state, tail = self.state, self.optimizer.tail
        step, taken = state.step + 1, []
        for _ in range(self.config.accumulate):
            batch, state.position = next(batches)
            taken.append(batch.to(self.device))
        self.gradients(taken, step)
        if self.interrupt.number:
            tail[2].fill_(self.interrupt.number)
        if self.config.time_limit and time.monotonic() - self.began >= 60 * self.config.time_limit:
            tail[3].fill_(1)
        self.group.sum_(self.optimizer.buffer)
        norm = self.optimizer.step(self._rate(step))
        self.pending.append(torch.cat((tail, norm.view(1))))
        state.step = step

    def _after_step(self) -> str:
        """Whatever is due at this step; why the run ends here, or nothing."""
        config = self.config
        logging, evaluating, saving = (
            self._due(every) for every in (config.log_every, config.evaluate_every, config.save_every)
        )
        if logging or evaluating or saving or self._due(self.read_every):
            self._read()
        over = self._over()
        if logging:
            self._log()
        if evaluating:
            self._evaluate()
        if over:
            return over  # saved at the end
        over = self._over()  # the evaluation may have been the last that early stopping waited for
        if saving and not over:
            self._save()
        elif evaluating and not over:
            self._save_best()
        return over

    def _end(self, reason: str) -> Outcome:
        """The last evaluation and the last save; a run that was stopped only saves, so that it can go on exactly."""
        self._read()
        if reason != "signal":
            if self.state.loss_count:
                self._log()
            if self.state.evaluated != self.state.step:
                self._evaluate()
        self._save()
        if reason == "signal":
            raise Stopped(
                f"stopped at step {self.state.step} and saved; go on with --resume",
                self.signal or signal.SIGTERM,
            )
        if self.group.first:
            for name in self.folder.finish(self.state):
                self._warn(f"{self.folder.path / name} was there before the run and is left as it was")
        self.group.wait()
        state = self.state
        rate = state.tokens / state.seconds if state.seconds else 0.0
        return Outcome(
            steps=state.step,
            seconds=state.seconds,
            tokens=state.tokens,
            tokens_per_second=rate,
            train_loss=state.train_loss,
            figures=state.figures,
            best=state.best,
            reason=reason,
            output=self.folder.path,
        )

    def _over(self) -> str:
        """Why the run ends here; empty while it does not."""
        config, state = self.config, self.state
        patience = config.early_stopping.patience if config.early_stopping else math.inf
        if self.group.size == 1:
            self.signal = self.interrupt.number
        reasons = {
            "signal": bool(self.signal),
            "steps": config.steps is not None and state.step >= config.steps,
            "epochs": config.epochs is not None and state.position.epoch >= config.epochs,
            "early stopping": state.stale >= patience,
            "time limit": self.late,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _due(self, every: int) -> bool:
        return every > 0 and self.state.step % every == 0

    def _rate(self, step: int) -> float:
        return rate(self.plan.schedule, step, peak=self.plan.optim.lr, steps=self.config.steps or 0)

    def _read(self) -> None:
        """Looks at the numbers of the steps since the last look: the only place where the loop waits for a device."""
        if not self.pending:
            return
        state, numbers = self.state, torch.stack(self.pending).tolist()
        self.pending.clear()
        now = time.monotonic()
        state.seconds, self.mark = state.seconds + now - self.mark, now
        for step, (loss, count, signal_sum, late, norm) in enumerate(numbers, state.step - len(numbers) + 1):
            mean = loss / max(1.0, count)
            if trouble := self.watch.trouble(step, mean, norm):
                raise RunError(trouble)
            for sentence in self.watch.step(step, mean, norm):
                self._warn(sentence)
            state.loss_sum, state.loss_count = state.loss_sum + loss, state.loss_count + count
            self.since = [self.since[0] + loss, self.since[1] + count]
            state.tokens += int(count)
            self.late = self.late or late > 0
            self.norm = norm
            if signal_sum and self.group.size > 1:
                self.signal = self.interrupt.number or signal.SIGTERM
        speed = state.tokens / max(state.seconds, 1e-9)
        figures = {"loss": mean, "lr": self._rate(state.step), "tokens/s": speed}
        self.counter.advance(len(numbers), **figures)

    def _log(self) -> None:
        """One line about the steps since the last."""
        state = self.state
        state.train_loss = state.loss_sum / max(1.0, state.loss_count)
        self._write(
            "train",
            {
                "loss": state.train_loss,
                "lr": self._rate(state.step),
                "gradient_norm": self.norm,
                "tokens": state.tokens,
                "seconds": round(state.seconds, 3),
                "tokens_per_second": round(state.tokens / max(state.seconds, 1e-9), 1),
            },
        )
        state.loss_sum = state.loss_count = 0.0

    def _evaluate(self) -> None:
        """Measures the model, notes whether it is the best so far, and writes one line."""
        figures = self._measure()
        self.mark = time.monotonic()
        self.state.evaluated = self.state.step
        if not figures:
            return
        self.state.figures = figures
        self._write("valid", figures)
        self._say(
            f"step {self.state.step}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        )
        self.state.best, _ = self._better(self.config.best, self.state.best)
        if stopping := self.config.early_stopping:
            self.state.aim, new = self._better(stopping.metric, self.state.aim)
            self.state.stale = 0 if new else self.state.stale + 1
        if self.since[1] and "loss" in figures:
            for sentence in self.watch.evaluated(self.since[0] / self.since[1], figures["loss"]):
                self._warn(sentence)
        self.since = [0.0, 0.0]

    def _measure(self) -> dict[str, float]:
        """Every figure, in evaluation mode; callables are asked on the first rank only."""
        figures: dict[str, float] = {}
        measures = [self.evaluate]
        if isinstance(self.valid, Pass):
            figures = mean_loss(self.model, self.objective, self.valid.once(), self.group, self.device)
        else:
            measures.insert(0, self.valid)
        if self.group.first:
            self.model.eval()
            for measure in measures:
                figures |= measure(self.model) if measure else {}
            self.model.train()
        return self.group.share(figures)

    def _better(self, metric: str, best: Best | None) -> tuple[Best, bool]:
        """The best of a figure up to now, and whether it is today's. Ties and NaN do not replace it."""
        figures = self.state.figures
        if metric not in figures:
            raise UserError(
                f"train asks for the figure '{metric}', but the evaluation gives {', '.join(figures)}"
            )
        value, sign = figures[metric], -1 if metric == "loss" else 1
        if (
            best is None
            or best.metric != metric
            or math.isnan(best.value)
            or sign * value > sign * best.value
        ):
            return Best(metric, value, self.state.step), True
        return best, False

    def _save_best(self) -> None:
        """Writes ``best/`` at a step that is not saved otherwise."""
        if self.state.best is not None and self.state.best.step == self.state.step and self.group.first:
            self._refuse_nan()
            with self.optimizer.full():
                self.folder.save_best()
        self.mark = time.monotonic()

    def _save(self) -> None:
        """Writes ``last/`` and what follows from it."""
        if self.group.first:
            self._refuse_nan()
            with self.optimizer.full():
                self.folder.save_last(self.state, self._tensors(), keep=self._due(self.config.save_every))
        self.mark = time.monotonic()

    def _refuse_nan(self) -> None:
        if not self.optimizer.finite():
            raise RunError(
                f"the weights are not numbers at step {self.state.step}, and nothing was saved over the last good "
                f"state; {ADVICE}"
            )

    def _tensors(self) -> dict[str, Tensor]:
        """All that is saved to go on from: the optimiser's tensors and the model's persistent buffers."""
        return self.optimizer.state_dict() | {
            f"buffer.{name}": buffer for name, buffer in self._buffers().items()
        }

    def _buffers(self) -> dict[str, Tensor]:
        lasting = self.model.state_dict()
        return {name: buffer for name, buffer in self.model.named_buffers() if name in lasting}

    def _load(self, tensors: dict[str, Tensor]) -> None:
        for name, buffer in self._buffers().items():
            buffer.copy_(tensors.pop(f"buffer.{name}", buffer))
        self.optimizer.load_state_dict(tensors)

    def _write(self, kind: str, figures: Mapping[str, float]) -> None:
        if self.metrics is not None:
            self.metrics.write(kind, self.state.step, figures)

    def _say(self, sentence: str) -> None:
        if self.group.first:
            report.say(sentence)

    def _warn(self, sentence: str) -> None:
        if self.group.first:
            report.warn(sentence)


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
