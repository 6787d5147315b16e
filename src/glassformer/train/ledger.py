"""The numbers of a run as they come: read from the device now and then, watched, shown and written down."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from glassformer.base import report
from glassformer.base.errors import RunError
from glassformer.train.checkpoint import RunState
from glassformer.train.metrics import Metrics
from glassformer.train.watch import Watch


class Ledger:
    """Keeps the books of one process. Only the first rank has ``metrics`` and speaks; all count alike."""

    def __init__(self, state: RunState, watch: Watch, metrics: Metrics | None) -> None:
        self.state, self.watch, self.metrics = state, watch, metrics
        self.counter: report.Counter | None = None
        self.pending: list[Tensor] = []
        self.norm = 0.0
        self.signal = 0.0
        self.late = 0.0
        self.since = [0.0, 0.0]  # loss and count since the last evaluation
        self.mark = time.monotonic()

    def note(self, tail: Tensor, norm: Tensor) -> None:
        """Puts aside one step's loss, count, signals and gradient norm without waiting for the device."""
        self.pending.append(torch.cat((tail, norm.view(1))))

    def restart(self) -> None:
        """The time until now was not spent on steps."""
        self.mark = time.monotonic()

    def read(self, lr: float) -> None:
        """Looks at all that was put aside: the one place that waits. RunError when the run is lost."""
        if not self.pending:
            return
        state, numbers = self.state, torch.stack(self.pending).tolist()
        self.pending.clear()
        now = time.monotonic()
        state.seconds, self.mark = state.seconds + now - self.mark, now
        mean = 0.0
        for step, (loss, count, number, late, norm) in enumerate(numbers, state.step - len(numbers) + 1):
            mean = loss / max(1.0, count)
            if trouble := self.watch.trouble(step, mean, norm):
                raise RunError(trouble)
            self.warn(self.watch.step(step, mean, norm))
            state.loss_sum, state.loss_count = state.loss_sum + loss, state.loss_count + count
            state.epoch_sum, state.epoch_count = state.epoch_sum + loss, state.epoch_count + count
            self.since = [self.since[0] + loss, self.since[1] + count]
            state.tokens += int(count)
            self.signal, self.late, self.norm = max(self.signal, number), max(self.late, late), norm
        if self.counter is not None:
            figures = {"loss": mean, "lr": lr, "tokens/s": self.speed}
            self.counter.advance(len(numbers), **figures)

    @property
    def speed(self) -> float:
        """Answers learned from per second spent on steps."""
        return self.state.tokens / max(self.state.seconds, 1e-9)

    def log(self, lr: float) -> None:
        """One line about the steps since the last such line."""
        state = self.state
        state.train_loss = state.loss_sum / max(1.0, state.loss_count)
        state.loss_sum = state.loss_count = 0.0
        figures = {"loss": state.train_loss, "lr": lr, "gradient_norm": self.norm, "tokens": state.tokens}
        self.write("train", {**figures, "seconds": round(state.seconds, 3), "tokens_per_second": self.speed})

    def epoch(self, *, aloud: bool) -> None:
        """One line about the epoch that is over: the mean loss of its steps, whose sum is held in float64.

        A step that reaches into the next epoch counts in the one that it began in.
        """
        state = self.state
        mean = state.epoch_sum / max(1.0, state.epoch_count)
        self.write("epoch", {"epoch": state.position.epoch, "loss": mean, "answers": int(state.epoch_count)})
        if aloud:
            self.say(f"epoch {state.position.epoch}: loss {mean:.4g}")
        state.epoch_sum = state.epoch_count = 0.0

    def evaluated(self, figures: Mapping[str, float]) -> None:
        """One line about an evaluation, and what it shows beside the training loss since the last."""
        self.write("valid", figures)
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.say(f"step {self.state.step}: {numbers}")
        if self.since[1] and "loss" in figures:
            valid = figures.get("nll", figures["loss"])
            self.warn(self.watch.evaluated(self.state.step, self.since[0] / self.since[1], valid))
        self.since = [0.0, 0.0]

    def write(self, kind: str, figures: Mapping[str, float]) -> None:
        """A line of metrics.jsonl, on the first rank."""
        if self.metrics is not None:
            self.metrics.write(kind, self.state.step, figures)

    def say(self, sentence: str) -> None:
        """A sentence to the user, from the first rank."""
        if self.metrics is not None:
            report.say(sentence)

    def warn(self, sentences: list[str]) -> None:
        """Warnings to the user, from the first rank."""
        for sentence in sentences if self.metrics is not None else ():
            report.warn(sentence)
