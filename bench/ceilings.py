"""What this machine can do at best: matrix products in each precision, and reading memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from glassformer.base import machine

READ = 2**28  # bytes, far more than any cache holds
SIDES = (1024, 2048)
SECONDS = 0.7  # for each figure; the fastest of several counts


def measure() -> dict[str, Any]:
    """GFLOP/s (two operations for each multiplication) of products, GB/s of reading by number of threads."""
    products = machine.matmul_ceilings()
    if (low := int8()) is not None:
        products["int8"] = low
    threads = torch.get_num_threads()
    return {"products": products, "threads": threads, "read": {str(n): read(n) for n in {1, threads}}}


def int8() -> float | None:
    """Giga-operations a second of the fastest square product of int8; None where PyTorch has none here."""
    fastest = 0.0
    for side in SIDES:
        left, right = (torch.randint(-127, 127, (side, side), dtype=torch.int8) for _ in range(2))
        try:
            seconds = _best(partial(torch._int_mm, left, right))
        except RuntimeError:
            return None
        fastest = max(fastest, 2 * side**3 / seconds / 1e9)
    return fastest


def read(threads: int, size: int = READ) -> float:
    """GB/s at which so many threads read an array that no cache holds: a product with a single row."""
    before = torch.get_num_threads()
    # Rows of 4,096 numbers, as matrices of weights have them; bytes would be limited by arithmetic instead.
    matrix, row = torch.ones(size // 4 // 4096, 4096), torch.ones(4096)
    torch.set_num_threads(threads)
    try:
        seconds = min(_best(partial(torch.mv, matrix, row)), _best(matrix.sum))
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


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest repetition: neighbours only ever make it slower."""
    work()
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end or best == float("inf"):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best
