"""A report of the machine: what will be used here, and how fast it can be at best."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

import glassformer
from glassformer.base import files, machine
from glassformer.base.report import table


@dataclass(frozen=True)
class Diagnosis:
    """What the machine has, what will be used, and its measured limits.

    ``precision`` is what ``auto`` means here; ``compiler`` says that ``torch.compile`` can work;
    ``faster_float32`` that PyTorch's "medium" float32 products are used, being faster and as exact here.
    ``matmul_gflops`` are the fastest matrix products (10⁹ floating-point operations a second) and
    ``memory_gbs`` the fastest copy (10⁹ bytes a second, read and written). ``advice`` is what would help.
    """

    glassformer: str
    python: str
    torch: str
    device: str
    name: str
    cores: int
    threads: int
    memory_bytes: int
    isa: tuple[str, ...]
    precision: str
    compiler: bool
    faster_float32: bool
    cache: str
    matmul_gflops: dict[str, float]
    memory_gbs: float
    advice: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for machines."""
        return asdict(self)

    def __str__(self) -> str:
        """The report for a terminal."""
        parts = [table(["machine", ""], self._found()), table(["will be used", ""], self._used())]
        return "\n\n".join([*parts, self._limits(), *self.advice])

    def _found(self) -> list[tuple[str, str]]:
        return [
            ("device", f"{self.device}: {self.name}"),
            ("cores", str(self.cores)),
            ("memory", f"{self.memory_bytes / 2**30:.1f} GiB"),
            ("instruction sets", " ".join(self.isa) or "none of those that matter here"),
            ("software", f"glassformer {self.glassformer}, torch {self.torch}, Python {self.python}"),
        ]

    def _used(self) -> list[tuple[str, str]]:
        return [
            ("precision", self.precision),
            ("threads", str(self.threads)),
            ("compiler", "found; training may compile" if self.compiler else "none; nothing is compiled"),
            ("float32 products", "the faster, equally exact kind" if self.faster_float32 else "ordinary"),
            ("cache", self.cache),
        ]

    def _limits(self) -> str:
        rows = [(f"matrix product, {name}", speed, "GFLOP/s") for name, speed in self.matmul_gflops.items()]
        return table(["measured limit", "value", "unit"], [*rows, ("memory copy", self.memory_gbs, "GB/s")])


def doctor() -> Diagnosis:
    """Look at the machine and measure its limits; takes a few seconds."""
    found = machine.look()
    machine.prepare(found)
    faster = machine.faster_float32(found)
    products = {name: round(speed, 1) for name, speed in machine.matmul_ceilings().items()}
    return Diagnosis(
        glassformer=glassformer.__version__,
        python=platform.python_version(),
        torch=found.torch,
        device=found.device,
        name=found.name,
        cores=found.cores,
        threads=found.threads,
        memory_bytes=found.memory_bytes,
        isa=found.isa,
        precision=machine.precision("auto", found),
        compiler=found.compiler,
        faster_float32=faster,
        cache=str(files.cache_folder()),
        matmul_gflops=products,
        memory_gbs=round(machine.memory_ceiling(), 1),
        advice=tuple(_advice(found, products)),
    )


def _advice(found: machine.Machine, products: dict[str, float]) -> list[str]:
    said = []
    if not found.compiler:
        said.append("No C++ compiler was found; with one (for example g++), models can be compiled.")
    if found.device == "cpu" and found.threads < found.cores:
        asked = os.environ.get("OMP_NUM_THREADS")
        said.append(
            f"OMP_NUM_THREADS={asked} leaves {found.cores - found.threads} of {found.cores} cores idle."
        )
    if found.bf16 and products["bfloat16"] < products["float32"]:
        said.append("bfloat16 measured slower than float32 here; train.precision=float32 may be faster.")
    return said
