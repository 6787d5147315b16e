"""What came of showing examples: the figures of every run, their mean and spread, and a curve over k."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import numpy as np

from glassformer.api.curve import Curve, curve
from glassformer.base.report import table
from glassformer.evaluate.bootstrap import Interval, intervals

SAMPLES = 500


@dataclass(frozen=True, slots=True)
class Figures:
    """The share of right answers, and the mean F1 of the labels where there are any."""

    accuracy: float
    macro_f1: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """All questions once, after ``k`` examples in one order; ``control``: with labels drawn at random.

    ``again`` gives the figures of some of the questions, by their numbers.
    """

    k: int
    order: int
    control: bool
    figures: Figures
    seconds: float
    again: Callable[[np.ndarray], Figures] | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The runs with one number of examples: mean and standard deviation over their orders."""

    k: int
    runs: tuple[Run, ...]
    controls: tuple[Run, ...]

    def mean(self, name: str, *, control: bool = False) -> float | None:
        """The mean of a figure; None where there is none."""
        values = self._values(name, control=control)
        return fmean(values) if values else None

    def spread(self, name: str, *, control: bool = False) -> float | None:
        """The standard deviation of a figure over the orders; None for fewer than two."""
        values = self._values(name, control=control)
        return stdev(values) if len(values) > 1 else None

    def intervals(self, questions: int) -> dict[str, Interval]:
        """The 95 % interval of the mean of each figure over resamples of the questions."""
        again = [run.again for run in self.runs if run.again is not None]

        def means(drawn: np.ndarray) -> dict[str, float]:
            found = [figures(drawn) for figures in again]
            named = {name: [getattr(one, name) for one in found] for name in ("accuracy", "macro_f1")}
            return {name: fmean(values) for name, values in named.items() if values and None not in values}

        return intervals(means, questions, samples=SAMPLES) if again else {}

    def _values(self, name: str, *, control: bool) -> list[float]:
        values = (getattr(run.figures, name) for run in (self.controls if control else self.runs))
        return [value for value in values if value is not None]

    def as_json(self, questions: int) -> dict[str, Any]:
        """``k``, each figure with ``_sd`` and ``control_``, their intervals, and those of every order."""
        found: dict[str, Any] = {
            "k": self.k,
            "orders": len(self.runs),
            "intervals": self.intervals(questions),
        }
        for name in ("accuracy", "macro_f1"):
            for control, before in ((False, ""), (True, "control_")):
                found[before + name] = self.mean(name, control=control)
                found[f"{before}{name}_sd"] = self.spread(name, control=control)
        found["seconds"] = round(sum(run.seconds for run in self.runs), 2)
        found["runs"] = [
            {"order": run.order, "accuracy": run.figures.accuracy, "macro_f1": run.figures.macro_f1}
            for run in self.runs
        ]
        return found


@dataclass(frozen=True)
class Report:
    """How a ``model`` does a ``task`` of ``questions``; ``majority`` is the share of the commonest answer."""

    task: str
    model: str
    questions: int
    majority: float
    runs: tuple[Run, ...]
    seconds: float

    @property
    def levels(self) -> tuple[Level, ...]:
        """The runs by the number of examples."""
        counts = sorted({run.k for run in self.runs})
        return tuple(Level(k, self._of(k, control=False), self._of(k, control=True)) for k in counts)

    def as_json(self) -> dict[str, Any]:
        """All of it for machines."""
        return {
            "task": self.task,
            "model": self.model,
            "questions": self.questions,
            "majority": self.majority,
            "shots": [level.as_json(self.questions) for level in self.levels],
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> Iterator[str]:
        """A table over k, and a curve where there are several."""
        commonest = f"the commonest answer is right for {_shown(self.majority)} %"
        yield f"{self.task}: {self.questions:,} questions; {commonest}"
        yield table(*self._table())
        if len(self.levels) > 1:
            yield ""
            yield from curve([level.k for level in self.levels], self._curves(), "examples shown")

    def _table(self) -> tuple[Sequence[str], list[list[object]]]:
        headers = ["k", "orders", "accuracy %", "95 %", "± sd", "macro F1", "± sd"]
        headers += ["random labels %", "± sd", "seconds"]
        rows = []
        for level in self.levels:
            row: list[object] = [level.k, len(level.runs)]
            row += [_percent(level.mean("accuracy")), _between(level.intervals(self.questions))]
            row += [_percent(level.spread("accuracy"))]
            row += [_rounded(level.mean("macro_f1"), 3), _rounded(level.spread("macro_f1"), 3)]
            row += [
                _percent(level.mean("accuracy", control=True)),
                _percent(level.spread("accuracy", control=True)),
            ]
            rows.append([*row, round(sum(run.seconds for run in level.runs), 1)])
        kept = [place for place in range(len(headers)) if any(row[place] is not None for row in rows)]
        return [headers[place] for place in kept], [[row[place] for place in kept] for row in rows]

    def _curves(self) -> list[Curve]:
        def means(*, control: bool) -> list[float | None]:
            return [_percent(level.mean("accuracy", control=control)) for level in self.levels]

        found = [Curve("accuracy %", "●", means(control=False))]
        if any(run.control for run in self.runs):
            found.append(Curve("random labels", "○", means(control=True)))
        return [*found, Curve("commonest answer", "╌", [_percent(self.majority)] * len(self.levels))]

    def _of(self, k: int, *, control: bool) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.k == k and run.control is control)


def _shown(share: float) -> str:
    return f"{100 * share:.1f}"


def _between(found: dict[str, Interval]) -> str | None:
    return f"{_shown(found['accuracy'][0])} to {_shown(found['accuracy'][1])}" if found else None


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
