"""Times of several systems taken in turn, A B C A B C, each in a process of its own; and their spread."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

REST = 0.3
"""Seconds between two turns: the threads of the one before may still be spinning."""

THREADS = int(os.environ.get("OMP_NUM_THREADS") or 0) or len(os.sched_getaffinity(0))
"""How many threads every peer is told to use; Glassformer finds out by itself."""

Maker = Callable[[], Any]


def timed(work: Callable[[], object]) -> dict[str, float]:
    """How long it takes: ``wall`` by the clock, ``processor`` for all threads of this process together."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}


@dataclass(frozen=True)
class Spread:
    """The median of several measurements, and the least and the greatest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.least)}–{_short(self.most)})"


class Here:
    """A system in this process: for tests."""

    def __init__(self, make: Maker) -> None:
        self.system = make()

    def call(self, method: str, *arguments: Any) -> Any:
        """What the system's method gives."""
        return getattr(self.system, method)(*arguments)

    def close(self) -> None:
        """Nothing is left to end."""


class Apart:
    """A system in a process of its own, so that no system meets another's threads, allocator or settings."""

    def __init__(self, make: Maker) -> None:
        context = multiprocessing.get_context("spawn")
        self.mine, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()

    def call(self, method: str, *arguments: Any) -> Any:
        """What the system's method gives; RuntimeError with its traceback when it fails there."""
        self.mine.send((method, arguments))
        try:
            failed, answer = self.mine.recv()
        except EOFError:
            raise RuntimeError(f"the process of a system ended with code {self.process.exitcode}") from None
        if failed:
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """Ends the process."""
        self.mine.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.terminate()


def _serve(pipe: Any, make: Maker) -> None:
    system = None
    while True:
        try:
            method, arguments = pipe.recv()
        except EOFError:
            return
        try:
            system = system or make()
            pipe.send((False, getattr(system, method)(*arguments)))
        except Exception:
            pipe.send((True, traceback.format_exc()))


@contextmanager
def opened(makers: Mapping[str, Maker], *, apart: bool) -> Iterator[dict[str, Here | Apart]]:
    """The systems, ready to be called, until the block ends."""
    systems: dict[str, Here | Apart] = {}
    try:
        for name, make in makers.items():
            systems[name] = Apart(make) if apart else Here(make)
        yield systems
    finally:
        for system in systems.values():
            system.close()


def in_turn(
    systems: Mapping[str, Here | Apart], repetitions: int, call: Callable[[Here | Apart], Any]
) -> dict[str, list[Any]]:
    """What ``call`` gives for each system, ``repetitions`` times, one system after the other each time."""
    found: dict[str, list[Any]] = {name: [] for name in systems}
    for _ in range(repetitions):
        for name, system in systems.items():
            time.sleep(REST)
            found[name].append(call(system))
    return found


def ratios(rates: Mapping[str, list[float]], base: str) -> dict[str, Spread]:
    """How many times as fast as ``base`` each system is, compared turn by turn: drift hits both alike."""
    return {
        name: Spread.of([mine / other for mine, other in zip(values, rates[base], strict=True)])
        for name, values in rates.items()
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
