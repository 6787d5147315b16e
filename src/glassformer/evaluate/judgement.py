"""What a judge found, with intervals, as people read it, as machines do, and as files in a folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassformer.base import files
from glassformer.base.report import table
from glassformer.evaluate.bootstrap import SAMPLES, SEED, Interval, intervals
from glassformer.evaluate.judge import Judge, Table

WIDEST = 13
"""Columns of a table that is still shown in a terminal; a wider one is only written."""
SHOWN = 10
KEPT = 200
"""How many mistakes are shown, and how many are written."""
LONGEST = 60
"""Letters of a text that a terminal shows."""


@dataclass(frozen=True)
class Judgement:
    """The ``figures`` of ``rows`` examples by name, the 95 % interval of each, and what they come from.

    Intervals are percentiles over resamples of the rows (``evaluate.bootstrap``). ``shown`` are the names of
    figures for people, in the order to tell them.
    """

    rows: int
    figures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    wrong: Table
    shown: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """``rows``, ``intervals``, ``notes``, each table by its name and ``wrong``: lists of objects."""
        found: dict[str, Any] = {"rows": self.rows, "notes": list(self.notes)}
        found["intervals"] = {name: [_real(end) for end in ends] for name, ends in self.intervals.items()}
        for one in (*self.tables, self.wrong):
            found[one.name] = [dict(zip(one.headers, row, strict=True)) for row in one.rows]
        return found

    def line(self, name: str) -> str:
        """A figure and its interval."""
        value, (low, high) = self.figures[name], self.intervals.get(name, (math.nan, math.nan))
        if math.isnan(value):
            return f"{self.shown[name]}: undefined"
        ends = "" if math.isnan(low) else f"  (95 %: {low:.4f} to {high:.4f})"
        return f"{self.shown[name]}: {value:.4f}{ends}"

    def paragraphs(self) -> list[str]:
        """The figures, then each table that is not too wide, then the worst mistakes and the notes."""
        told = ["\n".join(self.line(name) for name in self.shown if name in self.figures)]
        told += [f"{one.title}\n{table(one.headers, one.rows)}" for one in self.tables if _fits(one)]
        if self.wrong.rows:
            rows = [tuple(_cut(cell) for cell in row) for row in self.wrong.rows[:SHOWN]]
            told.append(f"{self.wrong.title}\n{table(self.wrong.headers, rows)}")
        return told + list(self.notes)

    def write(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Into ``folder``, whole or not at all: ``figures.json``, and every table as ``NAME.tsv``.

        ``about`` is what else ``figures.json`` has, such as the names of the data. Raises RunError when the
        disk refuses.
        """
        told = {**about, **{name: _real(value) for name, value in self.figures.items()}}
        plain = self.as_json()
        told |= {name: plain[name] for name in ("rows", "intervals", "notes")}
        folder.parent.mkdir(parents=True, exist_ok=True)
        with files.building(folder) as place:
            files.write_text(place / "figures.json", json.dumps(told, ensure_ascii=False, indent=1) + "\n")
            for one in (*self.tables, self.wrong):
                lines = ["\t".join(map(_tabbed, row)) for row in (one.headers, *one.rows)]
                files.write_text(place / f"{one.name}.tsv", "\n".join(lines) + "\n")


def judgement(judge: Judge, *, samples: int = SAMPLES, seed: int = SEED) -> Judgement:
    """All that a judge has to say; ``samples`` resamples give the intervals, none with 0."""
    return Judgement(
        rows=len(judge),
        figures=judge.figures(),
        intervals=intervals(judge.figures, len(judge), samples=samples, seed=seed) if samples else {},
        notes=tuple(judge.notes()),
        tables=tuple(judge.tables()),
        wrong=judge.wrong(KEPT),
        shown=judge.shown,
    )


def _fits(one: Table) -> bool:
    return bool(one.rows) and len(one.headers) <= WIDEST


def _cut(cell: object) -> object:
    return f"{cell[:LONGEST]}…" if isinstance(cell, str) and len(cell) > LONGEST else cell


def _tabbed(cell: object) -> str:
    """A cell of a table with tabs between; no text may have one."""
    if isinstance(cell, float):
        return "" if math.isnan(cell) else f"{cell:.6g}"
    return " ".join(str(cell).split("\t")).replace("\n", " ").replace("\r", " ")


def _real(value: float) -> float | None:
    return value if math.isfinite(value) else None
