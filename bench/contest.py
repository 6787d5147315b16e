"""Several systems at the same tasks, each in several precisions: taken in turn, checked, and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from bench import same
from bench.measure import Apart, Here, Spread, in_turn, ratios
from glassformer.base import report

OURS = "Glassformer"
PLAIN = "float32"
ALIKE = 0.8
"""The share of rows that every system must write alike in float32.

Not all: beams may be within rounding of a tie, and llama.cpp looks its GELU up in a table of float16.
"""

Wanted = dict[str, Any]


class System(Protocol):
    """One system: it opens what it needs at its first turn and keeps it."""

    def turn(self, wanted: Wanted, precision: str) -> dict[str, Any]:
        """Does the work once: ``wall`` and ``processor`` seconds, and what is checked, as ``written``."""
        ...


@dataclass(frozen=True)
class Task:
    """What is asked for, how often, and by whom; ``units`` are counted a turn, ``short`` warms up."""

    name: str
    wanted: Wanted
    units: int
    entries: tuple[tuple[str, str], ...]
    repetitions: int
    short: Wanted = field(default_factory=dict)


def entries(offers: Mapping[str, Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Every system in every precision that it offers."""
    return tuple((system, precision) for system, offered in offers.items() for precision in offered)


Answers = Mapping[str, Mapping[str, Any]]
Check = Callable[[str, Answers], dict[str, str]]


def check(what: str, answers: Answers) -> dict[str, str]:
    """How many rows each entry writes as the first in float32 does; NotTheSameWork where it differs by more.

    All write as many tokens. In float32 nearly all rows are equal; in less, rounding may part them.
    """
    written = {name: answer["written"] for name, answer in answers.items()}
    same.equal(f"{what}: rows", {name: len(rows) for name, rows in written.items()})
    same.equal(f"{what}: tokens written", {name: sum(map(len, rows)) for name, rows in written.items()})
    reference = next(rows for name, rows in written.items() if name.endswith(PLAIN))
    alike = {
        name: sum(list(mine) == list(other) for mine, other in zip(rows, reference, strict=True))
        for name, rows in written.items()
    }
    for name, count in alike.items():
        if name.endswith(PLAIN) and count < ALIKE * len(reference):
            raise same.NotTheSameWork(
                f"{what}: {name} writes {count} of {len(reference)} rows as the others do in float32"
            )
    return {name: f"{count} of {len(reference)}" for name, count in alike.items()}


def measure(
    systems: Mapping[str, Here | Apart], task: Task, clock: str, check: Check = check
) -> dict[str, Any]:
    """Units a second of every entry, turn by turn; NotTheSameWork when they do not do the same."""
    chosen = {f"{system} {precision}": (systems[system], precision) for system, precision in task.entries}

    def ask(entry: tuple[Here | Apart, str], wanted: Wanted) -> Any:
        return entry[0].call("turn", wanted, entry[1])

    in_turn(chosen, 1, partial(ask, wanted=task.wanted | task.short))
    turns = in_turn(chosen, task.repetitions, partial(ask, wanted=task.wanted))
    rates = {name: [task.units / turn[clock] for turn in found] for name, found in turns.items()}
    # A run is long: what has been found is seen at once.
    report.say(f"{task.name}: " + ", ".join(f"{name} {Spread.of(found)}" for name, found in rates.items()))
    return {
        "units": task.units,
        "repetitions": task.repetitions,
        "alike": check(task.name, {name: found[-1] for name, found in turns.items()}),
        "rates": rates,
    }


def rows(
    tasks: Mapping[str, dict[str, Any]],
    unit: str,
    limit: Callable[[str, str, float], str] | None = None,
    alike: str = "equal rows",
) -> tuple[list[str], list[list[object]]]:
    """The table: a line for each task and entry, and how many times each peer Glassformer is there.

    A peer is taken at the same precision, or at its fastest where it has not that one, which is then named.
    ``limit(task, entry, rate)`` fills one more column.
    """
    peers = _peers(tasks)
    headers = ["work", "system", f"{unit}/s", *(f"÷ {peer}" for peer in peers), alike]
    lines: list[list[object]] = []
    for name, task in tasks.items():
        for entry, values in task["rates"].items():
            cells: list[object] = [name, entry, str(Spread.of(values))]
            cells += [_against(task["rates"], entry, peer) for peer in peers]
            cells.append(task["alike"][entry])
            lines.append(cells + ([limit(name, entry, Spread.of(values).median)] if limit else []))
    return headers + (["of the limit"] if limit else []), lines


def _peers(tasks: Mapping[str, dict[str, Any]]) -> list[str]:
    found = {entry.rpartition(" ")[0] for task in tasks.values() for entry in task["rates"]}
    return sorted(found - {OURS})


def _against(rates: Mapping[str, list[float]], entry: str, peer: str) -> str:
    system, _, precision = entry.rpartition(" ")
    theirs = {name: Spread.of(found).median for name, found in rates.items() if name.startswith(f"{peer} ")}
    if system != OURS or not theirs:
        return "–"
    exact = f"{peer} {precision}"
    base = exact if exact in theirs else max(theirs, key=lambda name: theirs[name])
    note = "" if base == exact else f" ({base.rpartition(' ')[2]})"
    return f"{ratios({entry: rates[entry], base: rates[base]}, base)[entry]}{note}"
