"""From the batches of a step to their summed gradient, compiled where that pays; no weight is moved here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from glassformer.base import report
from glassformer.base.errors import RunError
from glassformer.data.example import Batch
from glassformer.objectives.objective import Objective
from glassformer.train.optim import Optimizer
from glassformer.train.parallel import Group

Total = Callable[[nn.Module, Batch], Tensor]
MASK = (1 << 64) - 1
NO_MEMORY = (
    "the memory was too small for a batch of step {step}; halve data.tokens_per_batch and double "
    "train.accumulate, which trains the same"
)


class Gradients:
    """Fills the optimiser's flat gradient with the sum over a step's batches, and its tail with loss and
    count.

    The random numbers of dropout are a function of (seed, step, micro-batch, rank), so a resumed run needs
    no saved generator. A compiler that fails, whenever it does, is dropped with a warning and the step is
    done again without.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimizer: Optimizer,
        group: Group,
        *,
        seed: int,
        compiled: bool,
    ) -> None:
        self.model, self.optimizer, self.group, self.seed = model, optimizer, group, seed
        self.eager: Total = lambda model, batch: objective.loss(model, batch).total
        self.total = _compile(self.eager) if compiled else self.eager

    def __call__(self, batches: Sequence[Batch], step: int) -> None:
        """Sums over the batches of one step; they must be on the model's device."""
        try:
            self._sum(batches, step)
        except Exception as error:
            if _no_memory(error):
                raise RunError(NO_MEMORY.format(step=step)) from error
            if self.total is self.eager:
                raise
            # A compiler may fail in any way; an error of the model's own comes again without it.
            report.warn(f"the compiler failed ({_first_line(error)}); going on without it")
            self.total = self.eager
            self(batches, step)

    def _sum(self, batches: Sequence[Batch], step: int) -> None:
        self.optimizer.zero()
        tail = self.optimizer.tail
        for index, batch in enumerate(batches):
            if not batch.count:
                continue
            seed(mix(self.seed, step, index, self.group.rank), self.optimizer.master.device)
            with self.optimizer.micro_batch():
                total = self.total(self.model, batch)
                total.backward()  # type: ignore[no-untyped-call]
            tail[0] += total.detach()
            tail[1] += batch.count
        if not any(batch.count for batch in batches):
            self.optimizer.idle()


def seed(number: int, device: torch.device) -> None:
    """Seeds the generators that dropout draws from: the processor's and this device's.

    ``torch.manual_seed`` would also visit every accelerator PyTorch knows of, which takes as long as a small
    model's step.
    """
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)


def _no_memory(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def _compile(function: Total) -> Total:
    try:
        compiled: Total = torch.compile(function, dynamic=True)
    except Exception as error:
        report.warn(f"the compiler failed ({_first_line(error)}); going on without it")
        return function
    return compiled


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def mix(*numbers: int) -> int:
    """One well-spread 63-bit seed from several small numbers (splitmix64, Steele et al. 2014)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return state >> 1
