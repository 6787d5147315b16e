"""The machine we run on: what it has, what it can do fast, and how PyTorch is set up for it."""

import ctypes
import importlib.util
import json
import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from glassformer.base import files, report
from glassformer.base.errors import RunError, UserError

Precision = Literal["float32", "bfloat16"]

_ISA = (
    "avx2",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "avx_vnni",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "sve",
    "bf16",
)
# Sides of the square products, and bytes of the array, that show the limits of a device in a second or two.
_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192), "mps": (2048, 4096)}
_COPIED = {"cpu": 2**28, "cuda": 2**30, "mps": 2**28}
_BF16 = ("avx512_bf16", "amx_bf16", "bf16")


# oneDNN keeps a compiled kernel for every shape it has met, up to 1,024, and batches of text have hundreds
# of shapes: with the defaults a run grew by gigabytes. Both are read when PyTorch first multiplies.
KERNEL_CACHES = {"LRU_CACHE_CAPACITY": "512", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "256"}


@dataclass(frozen=True)
class Machine:
    """What was found: ``device`` is cpu, cuda or mps; ``bf16`` says its bfloat16 products are fast.

    ``cores`` are the physical cores this process may use, ``threads`` what PyTorch should use; ``compiler``
    says that ``torch.compile`` has what it needs.
    """

    device: str
    name: str
    cores: int
    threads: int
    memory_bytes: int
    bf16: bool
    isa: tuple[str, ...]
    compiler: bool
    torch: str


@cache
def look() -> Machine:
    """The machine, looked at once per process."""
    device = _device()
    isa = _isa()
    cores = _cores()
    return Machine(
        device=device,
        name=torch.cuda.get_device_name() if device == "cuda" else _processor(),
        cores=cores,
        threads=_threads(cores),
        memory_bytes=_memory(device),
        bf16=_fast_bf16(device, isa),
        isa=isa,
        compiler=_compiler(device),
        torch=str(torch.__version__),
    )


def precision(choice: str, machine: Machine) -> Precision:
    """``auto``, ``float32`` or ``bfloat16`` for a choice, auto by what is fast. Else UserError."""
    if choice == "auto":
        return "bfloat16" if machine.bf16 else "float32"
    if choice == "float32":
        return "float32"
    if choice == "bfloat16":
        if not machine.bf16:
            report.warn(
                f"{machine.name} has no bfloat16 arithmetic; bfloat16 will be slower than float32 here"
            )
        return "bfloat16"
    raise UserError(f"precision: expected one of 'auto', 'float32', 'bfloat16', got '{choice}'")


def prepare(machine: Machine) -> None:
    """Set PyTorch up for this machine: threads, memory that is reused, and float32 products."""
    torch.set_num_threads(machine.threads)
    if machine.device == "cuda":
        # Read when CUDA first allocates. Sequences of many lengths otherwise leave holes nothing fits into.
        os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    for name, entries in KERNEL_CACHES.items():
        os.environ.setdefault(name, entries)
    _keep_freed_memory()
    torch.set_float32_matmul_precision("medium" if faster_float32(machine) else "highest")


def sentence(machine: Machine, chosen: str) -> str:
    """What is used, in one line."""
    parts = [machine.name if machine.device == "cpu" else f"{machine.name} ({machine.device})"]
    if machine.device == "cpu":
        parts.append(f"{machine.threads} thread{'s' if machine.threads != 1 else ''}")
    parts += [f"{machine.memory_bytes / 2**30:.0f} GiB", chosen]
    if not machine.compiler:
        parts.append("no compiler found, so nothing is compiled")
    return ", ".join(parts)


def faster_float32(machine: Machine) -> bool:
    """Whether PyTorch's "medium" float32 products are faster on this CPU and as exact as "highest".

    Measured once in a fraction of a second. As exact: the error of a 256 × 512 × 256 product against float64
    is under twice that of "highest".
    """
    return machine.device == "cpu" and decided("float32", _measure_medium, machine)


def decided(what: str, measure: Callable[[], bool], machine: Machine) -> bool:
    """What ``measure`` finds on this machine, measured once and remembered in ``files.cache_folder()``."""
    key = "|".join((machine.name, str(machine.threads), machine.torch, *machine.isa))
    known = _remembered(what)
    if key not in known:
        known[key] = measure()
        # A cache that cannot be written costs a part of a second next time, and nothing else.
        with suppress(RunError):
            files.write_text(_cache_file(what), json.dumps(known, indent=1, sort_keys=True) + "\n")
    return known[key]


def matmul_ceilings() -> dict[str, float]:
    """The fastest matrix product measured here, in GFLOP/s (2 n³ per product), for each precision."""
    device = look().device
    return {
        name: _matmul_ceiling(device, kind)
        for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }


def memory_ceiling() -> float:
    """The fastest copy of a large array measured here, in GB/s, counting what is read and what is written."""
    device = look().device
    source = torch.ones(_COPIED[device] // 4, device=device)
    target = torch.empty_like(source)
    seconds = quickest(lambda: target.copy_(source), device, budget=0.8)
    return 2 * source.nbytes / seconds / 1e9


def _matmul_ceiling(device: str, kind: torch.dtype) -> float:
    fastest = 0.0
    for size in _SIDES[device]:
        left, right = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
        out = torch.empty_like(left)
        seconds = quickest(partial(torch.mm, left, right, out=out), device, budget=0.5)
        fastest = max(fastest, 2 * size**3 / seconds / 1e9)
    return fastest


def quickest(action: Callable[[], Tensor], device: str, budget: float) -> float:
    """Seconds of the fastest of several repetitions: others on the machine only ever make it slower."""
    action()
    best = math.inf
    end = time.perf_counter() + budget
    runs = 0
    while runs < 3 or time.perf_counter() < end:
        _finish(device)
        began = time.perf_counter()
        action()
        _finish(device)
        best = min(best, time.perf_counter() - began)
        runs += 1
    return best


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def _measure_medium() -> bool:
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(256, 512, generator=generator), torch.randn(512, 256, generator=generator)
    exact = left.double() @ right.double()
    before = torch.get_float32_matmul_precision()
    try:
        error, seconds = {}, {}
        for setting in ("highest", "medium"):
            torch.set_float32_matmul_precision(setting)
            error[setting] = float((left @ right - exact).norm())
            seconds[setting] = quickest(lambda: left @ right, "cpu", budget=0.05)
    finally:
        torch.set_float32_matmul_precision(before)
    return error["medium"] < 2 * error["highest"] and seconds["medium"] < 0.9 * seconds["highest"]


def _cache_file(what: str) -> Path:
    return files.cache_folder() / f"{what}.json"


def _remembered(what: str) -> dict[str, bool]:
    try:
        known = json.loads(_cache_file(what).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    items = known.items() if isinstance(known, dict) else ()
    return {key: value for key, value in items if isinstance(value, bool)}


def _device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _processor() -> str:
    for line in _cpuinfo():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown processor"


@cache
def _cpuinfo() -> tuple[str, ...]:
    try:
        return tuple(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()


def _isa() -> tuple[str, ...]:
    """The instruction sets that matter to us, as Linux names them."""
    listed = next((line for line in _cpuinfo() if line.startswith(("flags", "Features"))), "")
    flags = set(listed.partition(":")[2].split())
    return tuple(name for name in _ISA if name in flags)


def _fast_bf16(device: str, isa: Iterable[str]) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "mps":
        return False
    # PyTorch's own test also knows whether the operating system saves the registers; older versions lack it.
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked and asked()) or any(name in isa for name in _BF16)


def _compiler(device: str) -> bool:
    if device == "cuda" and importlib.util.find_spec("triton") is None:
        return False
    names = (
        os.environ.get("CXX", ""),
        "g++",
        "clang++",
        "c++",
        "cl",
        *(("gcc", "cc") if device == "cuda" else ()),
    )
    return any(shutil.which(name) for name in names if name)


def _threads(cores: int) -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else cores


def _cores() -> int:
    """Physical cores, within what the scheduler and the control group of a container allow this process."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    physical = {_core_of(number) for number in allowed}
    quota = _quota()
    return max(1, len(physical) if quota is None else min(len(physical), math.floor(quota)))


def _core_of(number: int) -> tuple[str, str]:
    """Package and core of a logical processor; siblings of one core share both."""
    folder = Path(f"/sys/devices/system/cpu/cpu{number}/topology")
    try:
        return (folder / "physical_package_id").read_text(), (folder / "core_id").read_text()
    except OSError:
        return "", str(number)


def _groups(controller: str) -> list[Path]:
    """The folders of this process's control group and those above it, in the layouts of version 1 and 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            root = Path("/sys/fs/cgroup") / ("" if not controllers else controller)
            own = Path(name.lstrip("/"))
            folders += [root / own, *(root / parent for parent in own.parents)]
    return folders


def _quota() -> float | None:
    """The least number of processors that a control group above us allows, or None."""
    limits: list[float] = []
    for folder in _groups("cpu"):
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = (folder / "cpu.max").read_text().split()
            limits.append(int(quota) / int(period))
        with suppress(OSError, ValueError, ZeroDivisionError):
            allowed = int((folder / "cpu.cfs_quota_us").read_text())
            if allowed > 0:
                limits.append(allowed / int((folder / "cpu.cfs_period_us").read_text()))
    return min(limits, default=None)


def _memory(device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.get_device_properties(0).total_memory)
    limits = []
    with suppress(OSError, ValueError, AttributeError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for folder in _groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):
                limits.append(int((folder / name).read_text()))
    return min(limits, default=0)


def _keep_freed_memory() -> None:
    """Let glibc keep what is freed, as every step allocates the same again.

    Without this, each step faults fresh pages in: 80 to 300 page faults for an array of 8 MB, none with it.
    """
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, mmap_threshold = -1, -3
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(mmap_threshold, 32 * 2**20)
        library.mallopt(trim_threshold, 2**30)
