"""How long one product of a matrix with few rows takes, plain and packed: the evidence of nn/packed.py.

``python -m bench.products`` prints the table of docs/decisions/0015-packed-weights.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from glassformer.base import machine
from glassformer.nn.packed import Packed

SIZES = ((192, 576), (256, 688), (768, 192), (768, 3072), (256, 8000))
ROWS = (1, 4, 16, 512)
ROUNDS, SECONDS = 7, 0.02  # of each product, taken in turn


def main() -> int:
    """Measures and prints; gives the exit code."""
    machine.prepare(machine.look())
    rows = [
        [kind, f"{read} → {written}", *(_cell(kind, read, written, count) for count in ROWS)]
        for kind in ("bfloat16", "float32")
        for read, written in SIZES
    ]
    print("\n".join(_line(row) for row in [["", "matrix", *(f"{n} rows" for n in ROWS)], ["---"] * 6, *rows]))
    return 0


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


@torch.inference_mode()
def _cell(kind: str, read: int, written: int, count: int) -> str:
    dtype = getattr(torch, kind)
    plain = nn.Linear(read, written).to(dtype)
    packed, x = Packed([plain], dtype), torch.randn(count, 1, read).to(dtype)
    best = _least(lambda: plain(x), lambda: packed(x))
    return f"{best[0]:,.0f} / {best[1]:,.0f}"


def _least(*forms: Callable[[], object]) -> list[float]:
    """The microseconds of each form, the least of rounds that they take in turn."""
    best = [float("inf")] * len(forms)
    for _ in range(ROUNDS):
        for place, form in enumerate(forms):
            times, began = 0, time.perf_counter()
            while time.perf_counter() < began + SECONDS:
                form()
                times += 1
            best[place] = min(best[place], (time.perf_counter() - began) / times)
    return [1e6 * seconds for seconds in best]


if __name__ == "__main__":
    sys.exit(main())
