"""What this machine can do at best: matrix products in each precision, and reading memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from bench.measure import timed

KINDS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.int8}
READ = 2**28  # bytes, far more than any cache holds
SIDES = (1024, 2048)
SECONDS = 0.7  # for each figure; the fastest of several counts


def measure(clock: str = "wall") -> dict[str, Any]:
    """GFLOP/s (two operations for each multiplication) of products, GB/s of reading by number of threads."""
    threads = torch.get_num_threads()
    found = {name: product(kind, clock) for name, kind in KINDS.items()}
    return {
        "products": {name: rate for name, rate in found.items() if rate is not None},
        "threads": threads,
        "read": {str(count): read(count, clock) for count in sorted({1, threads})},
    }


def product(kind: torch.dtype, clock: str) -> float | None:
    """The fastest square product; None where PyTorch has none of int8 here."""
    fastest = 0.0
    for side in SIDES:
        left, right = (torch.randint(-127, 127, (side, side)).to(kind) for _ in range(2))
        multiply = torch._int_mm if kind == torch.int8 else torch.mm
        try:
            seconds = _best(partial(multiply, left, right), clock)
        except RuntimeError:
            return None
        fastest = max(fastest, 2 * side**3 / seconds / 1e9)
    return fastest


def read(threads: int, clock: str, size: int = READ) -> float:
    """GB/s at which so many threads read an array that no cache holds: a product with a single row."""
    before = torch.get_num_threads()
    # Rows of 4,096 numbers, as matrices of weights have them; bytes would be limited by arithmetic instead.
    matrix, row = torch.ones(size // 4 // 4096, 4096), torch.ones(4096)
    torch.set_num_threads(threads)
    try:
        seconds = min(_best(partial(torch.mv, matrix, row), clock), _best(matrix.sum, clock))
    finally:
        torch.set_num_threads(before)
    return matrix.nbytes / seconds / 1e9


def rows(found: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """The table."""
    lines: list[list[object]] = [
        [f"matrix product, {precision}", f"{rate:,.0f} G{'OP' if precision == 'int8' else 'FLOP'}/s"]
        for precision, rate in found["products"].items()
    ]
    lines += [
        [f"reading memory, {count} thread{'s' if count != '1' else ''}", f"{rate:.1f} GB/s"]
        for count, rate in sorted(found["read"].items())
    ]
    return ["limit", "at best"], lines


def _best(work: Callable[[], object], clock: str) -> float:
    """Seconds of the fastest repetition: neighbours only ever make it slower.

    By the ``processor`` its time is shared by the threads, each of which must have a core.
    """
    work()
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end or best == float("inf"):
        took = timed(work)
        best = min(best, took["wall"] if clock == "wall" else took["processor"] / torch.get_num_threads())
    return best
