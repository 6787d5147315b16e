"""How near the estimate of memory (``glassformer parameters``) is to the peak of a real training step.

Run it with the name of a recipe: ``python -m bench.memory language/shakespeare``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

from glassformer.api.memory import Batch, memory
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe
from glassformer.base import machine, report
from glassformer.train.compute import Gradients
from glassformer.train.optim import Optimizer
from glassformer.train.parallel import Group


def peak(work: Callable[[], object]) -> int:
    """The most bytes that PyTorch held at once while ``work`` ran on a processor, beyond what was there."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    recorded = seen.profiler
    assert recorded is not None
    assert recorded.kineto_results is not None
    events = [event for event in recorded.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


def compare(name: str, settings: list[str]) -> tuple[int, int]:
    """What a batch of the recipe adds to memory, in bytes: as estimated, and as the peak of a step."""
    recipe = read_recipe(name, settings)
    found = machine.look()
    machine.prepare(found)
    parts = prepare(recipe)
    low = machine.precision(recipe.train.precision, found) == "bfloat16"
    batch, _ = next(parts.train.batches())
    rows, *rest = next(iter(batch.values())).shape
    length = rest[0] if len(rest) == 1 else 1
    estimate = memory(parts.model, recipe.optim, Batch(rows, length), bfloat16=low).activations
    optimizer = Optimizer(parts.model.train(), recipe.optim, bfloat16=low)
    sums = Gradients(parts.model, parts.objective, optimizer, Group(), seed=1, compiled=False)

    def step() -> None:
        sums([batch], 1)
        optimizer.step(1e-3)

    step()  # the first allocates what stays
    return estimate or 0, peak(step)


if __name__ == "__main__":
    estimated, real = compare(sys.argv[1], sys.argv[2:])
    figures = [("estimated", estimated / 2**20), ("measured", real / 2**20), ("ratio", real / estimated)]
    report.say(report.table(["activations", "MiB"], figures))
