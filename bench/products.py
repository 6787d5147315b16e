"""How long one product of a matrix with a few rows takes: the evidence of nn/packed.py and nn/int8.py.

``python -m bench.products`` prints the table of docs/decisions/0015-packed-weights.md, and ``python -m
bench.products int8`` that of docs/decisions/0018-int8.md.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from glassformer.base import machine
from glassformer.nn.int8 import MIDDLE, Integers, encoded, rounded
from glassformer.nn.joint import Matrix
from glassformer.nn.packed import Packed

SIZES = ((192, 576), (256, 688), (768, 192), (768, 3072), (256, 8000))
ROWS = (1, 4, 16, 512)
ROUNDS, SECONDS = 7, 0.02  # of each product, taken in turn

INT8_SIZES = ((512, 512), (512, 2048), (768, 3072), (768, 50257))
INT8_ROWS = (1, 5, 32, 512)
STREAMED = 2**26  # numbers of all matrices that are multiplied one after another: more than a cache holds
TOO_LONG = 0.25  # seconds after which a form is not tried again

Form = Callable[[], object]
Made = Callable[[Tensor], Callable[[Tensor], Form]]
"""From a matrix to what makes, of the vectors it reads, the form that is timed."""


def main(arguments: Sequence[str] = ()) -> int:
    """Measures and prints; gives the exit code."""
    machine.prepare(machine.look())
    print("\n".join(_line(row) for row in (_int8() if "int8" in arguments else _packed())))
    return 0


def _packed() -> list[list[str]]:
    rows = [
        [kind, f"{read} → {written}", *(_cell(kind, read, written, count) for count in ROWS)]
        for kind in ("bfloat16", "float32")
        for read, written in SIZES
    ]
    return [["", "matrix", *(f"{n} rows" for n in ROWS)], ["---"] * 6, *rows]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


@torch.inference_mode()
def _cell(kind: str, read: int, written: int, count: int) -> str:
    dtype = getattr(torch, kind)
    plain = nn.Linear(read, written).to(dtype)
    packed, x = Packed([plain], dtype), torch.randn(count, 1, read).to(dtype)
    best = _least([lambda: plain(x)], [lambda: packed(x)])
    return f"{best[0]:,.0f} / {best[1]:,.0f}"


def _least(*forms: Sequence[Form]) -> list[float]:
    """The microseconds of each form, the least of rounds; forms of one name are called one after another."""
    best = [float("inf")] * len(forms)
    for _ in range(ROUNDS):
        for place, form in enumerate(forms):
            times, began = 0, time.process_time()
            while time.process_time() < began + SECONDS:
                for one in form:
                    one()
                times += len(form)
            best[place] = min(best[place], (time.process_time() - began) / times)
    return [1e6 * seconds for seconds in best]


# --- int8 --------------------------------------------------------------------------------------------------


def _floats(dtype: torch.dtype) -> Made:
    def made(matrix: Tensor) -> Callable[[Tensor], Form]:
        packed = Packed([Matrix(matrix)], dtype)
        return lambda x: partial(packed, x.to(dtype))

    return made


def _ours(matrix: Tensor) -> Callable[[Tensor], Form]:
    product = Integers([Matrix(matrix)])
    return lambda x: partial(product, x)


def _onednn(matrix: Tensor) -> Callable[[Tensor], Form]:
    product = Integers([Matrix(matrix)])
    ask = torch.ops.onednn.qlinear_pointwise
    rest: Any = product.matrix, product.scales, product.zeros, None, 1.0, 0, torch.float32, "none", [], ""
    return lambda x: partial(ask, encoded(x)[0], 1.0, MIDDLE, *rest)


def _int_mm(matrix: Tensor) -> Callable[[Tensor], Form]:
    turned = rounded(matrix)[0].t()
    return lambda x: partial(torch._int_mm, rounded(x)[0], turned)


def _weight_only(matrix: Tensor) -> Callable[[Tensor], Form]:
    codes, steps = rounded(matrix)
    return lambda x: partial(torch._weight_int8pack_mm, x.bfloat16(), codes, steps.bfloat16())


def _per_tensor(matrix: Tensor) -> Callable[[Tensor], Form]:
    codes, steps = rounded(matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantised tensors will be removed: see 0018-int8.md
        made = torch._make_per_channel_quantized_tensor(
            codes, steps.double(), torch.zeros(len(codes), dtype=torch.long), 0
        )
        packed = torch.ops.quantized.linear_prepack(made, None)
    return lambda x: partial(torch.ops.quantized.linear_dynamic, x, packed)


FORMS: dict[str, Made] = {
    "float32": _floats(torch.float32),
    "bfloat16": _floats(torch.bfloat16),
    "**int8, ours**": _ours,
    "onednn.qlinear_pointwise": _onednn,
    "_int_mm": _int_mm,
    "_weight_int8pack_mm": _weight_only,
    "quantized.linear_dynamic": _per_tensor,
}


@torch.inference_mode()
def _int8() -> list[list[str]]:
    """A line for each matrix, once in the cache and once streamed from memory, and number of rows."""
    head = ["matrix", "rows", *FORMS]
    lines = [head, ["---"] * len(head)]
    for read, written in INT8_SIZES:
        many = max(1, STREAMED // (read * written))
        places = {many: "from memory"} | ({1: "in cache"} if many > 1 else {})
        for count, where in places.items():
            matrices = [torch.randn(written, read) for _ in range(count)]
            formed = {name: [made(matrix) for matrix in matrices] for name, made in FORMS.items()}
            for rows in INT8_ROWS:
                cells = _times(formed, torch.randn(rows, read))
                lines.append([f"{read} → {written}, {where}", str(rows), *cells])
                print(lines[-1], file=sys.stderr, flush=True)
    return lines


def _times(formed: dict[str, list[Callable[[Tensor], Form]]], x: Tensor) -> list[str]:
    forms = {name: [one(x) for one in made] for name, made in formed.items()}
    quick = {name: form for name, form in forms.items() if _once(form[0]) < TOO_LONG}
    best = dict(zip(quick, _least(*quick.values()), strict=True))
    return [f"{best[name]:,.0f}" if name in best else "–" for name in forms]


def _once(form: Form) -> float:
    form()
    began = time.process_time()
    form()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
