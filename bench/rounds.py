"""How much of each job is measured, in earnest and for a quick look."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from bench import ceilings, decoding, encoding, gpt2, kinds, starting, steps, training, work, writing
from bench.decoding import SIZES
from glassformer.base import machine

TINY = work.Size(
    "tiny, for a try (32/2/64/1+1)",
    {"dim": 32, "depth": 1, "heads": 2, "mlp_dim": 64},
    vocab_size=1200,
    target_tokens=256,
    max_length=64,
    pairs=600,
)
TINY_STACK: dict[str, Any] = {"dim": 32, "depth": 1, "heads": 2, "vocab_size": 300}

Job = dict[str, Any]


@cache
def limits(clock: str) -> Job:
    """What the machine can do; measured once a run."""
    return ceilings.measure(clock)


def _limits(scratch: Path, quick: bool, clock: str) -> Job:
    del scratch, quick
    return limits(clock)


def _translation(name: str, scratch: Path, quick: bool, clock: str) -> Job:
    amounts = {"small": (24, 6, 12, 7), "base": (8, 1, 1, 5)}
    batches, *rounds = (3, 1, 2, 2) if quick else amounts[name]
    made = work.make(TINY if quick else SIZES[name], scratch, batches=batches)
    ceilings = {"matmul_gflops": machine.matmul_ceilings(), "memory_gbs": machine.memory_ceiling()}
    measured = training.measure(made, **_rounds(*rounds), apart=not quick, clock=clock)
    return {"size": made.size.name, "work": made.described(), "ceilings": ceilings, **measured}


def _rounds(warm_up: int, steps: int, turns: int) -> dict[str, int]:
    return {"warm_up": warm_up, "steps": steps, "repetitions": turns}


def _translate(scratch: Path, quick: bool, clock: str) -> Job:
    # For the size of a batch: how many sentences, tokens for each, and turns.
    amounts = {1: (2, 4, 1), 4: (8, 4, 1)} if quick else {1: (6, 32, 3), 32: (32, 32, 3), 1000: (1000, 16, 1)}
    sizes = {"tiny": TINY} if quick else SIZES
    return decoding.measure(scratch, sizes=sizes, amounts=amounts, apart=not quick, clock=clock)


def _gpt2(scratch: Path, quick: bool, clock: str) -> Job:
    tiny = TINY_STACK | {"max_length": 64}
    rounds: Job = (
        {"size": tiny, "batches": {1: 1, 2: 1}, "prompt": 4, "most": 3, "prefill": (8, 1)}
        if quick
        # For the size of a batch, how many turns.
        else {
            "size": gpt2.SIZE, "batches": {1: 3, 8: 2, 32: 1}, "prompt": 32, "most": 128, "prefill": (512, 3),
        }
    )  # fmt: skip
    return gpt2.measure(scratch, **rounds, apart=not quick, clock=clock)


def _encode(scratch: Path, quick: bool, clock: str) -> Job:
    rounds: Job = (
        {"size": TINY_STACK | {"mlp_dim": 64}, "shapes": {(1, 4): 1, (3, 8): 1}, "repetitions": 1}
        if quick
        # For rows and tokens a row, how often in a turn.
        else {
            "size": encoding.SIZE, "shapes": {(1, 32): 20, (1, 128): 8, (32, 32): 1, (32, 128): 1},
            "repetitions": 3,
        }
    )  # fmt: skip
    return encoding.measure(scratch, **rounds, apart=not quick, clock=clock)


def _start(scratch: Path, quick: bool, clock: str) -> Job:
    del clock  # both are told
    return starting.measure(scratch, size=TINY if quick else SIZES["base"], repetitions=1 if quick else 5)


def _stack(job: str, scratch: Path, quick: bool, clock: str) -> Job:
    task = kinds.make(job, scratch, quick=quick)
    rounds = _rounds(*((1, 2, 2) if quick else kinds.SETTINGS[job].rounds))
    return {"work": task.described(), **steps.measure(task, **rounds, apart=not quick, clock=clock)}


def _generate(scratch: Path, quick: bool, clock: str) -> Job:
    del clock
    if quick:
        return writing.measure(scratch, batches=(1, 2), prompt=4, most=3, repetitions=1, quick=True)
    return writing.measure(scratch, batches=(1, 16), prompt=32, most=128, repetitions=3, quick=False)


RUNS: dict[str, Callable[[Path, bool, str], Job]] = {
    "ceilings": _limits,
    "translation": partial(_translation, "small"),
    "translation-base": partial(_translation, "base"),
    "translate": _translate,
    "gpt2": _gpt2,
    "encode": _encode,
    "start": _start,
    "generate": _generate,
    **{job: partial(_stack, job) for job in kinds.SETTINGS},
}
"""Every job: an empty folder, whether it is only a try, and what counts time."""
