"""Answers that are a number: correlations and distances, and where the model is furthest off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from glassformer.evaluate.correlation import absolute_error, pearson, spearman, squared_error
from glassformer.evaluate.judge import Asked, Table
from glassformer.objectives.objective import Told

PARTS = 5
"""Equal parts of the range of true numbers, each with a row of its own."""


class Judge:
    """Reads of each row ``true`` and ``told``, one number each.

    Figures: Pearson's and Spearman's correlation, mean squared and mean absolute error.
    """

    shown: Mapping[str, str] = {
        "pearson": "Pearson correlation",
        "spearman": "Spearman correlation",
        "squared_error": "mean squared error",
        "absolute_error": "mean absolute error",
    }

    def __init__(self, told: Mapping[int, Told], asked: Asked) -> None:
        self.asked, self.rows = asked, list(told)
        self.true = np.array([float(one["true"][0]) for one in told.values()], dtype=np.float64)
        self.told = np.array([float(one["told"][0]) for one in told.values()], dtype=np.float64)

    def __len__(self) -> int:
        return len(self.rows)

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures, of all rows or of those drawn."""
        drawn = np.arange(len(self)) if rows is None else rows
        measures = (pearson, spearman, squared_error, absolute_error)
        true, told = self.true[drawn], self.told[drawn]
        return {name: one(true, told) for name, one in zip(self.shown, measures, strict=True)}

    def notes(self) -> list[str]:
        """Where a correlation is undefined."""
        found = []
        if len(self) and np.ptp(self.true) == 0:
            found.append(f"all answers of this set are {self.true[0]:g}; correlations are undefined")
        elif len(self) and np.ptp(self.told) == 0:
            found.append(f"the model tells {self.told[0]:g} of everything; correlations are undefined")
        return found

    def tables(self) -> list[Table]:
        """For parts of the range of true numbers how many there are, and how far off the model is."""
        headers = ("true from", "to", "rows", "mean told", "absolute error")
        if not len(self):
            return [Table("ranges", "By true number", headers, ())]
        ends = np.linspace(self.true.min(), self.true.max(), PARTS + 1)
        part = np.clip(np.searchsorted(ends, self.true, side="right") - 1, 0, PARTS - 1)
        cells = []
        for number in np.unique(part).tolist():
            inside = part == number
            told, off = self.told[inside], np.abs(self.true - self.told)[inside]
            span = float(ends[number]), float(ends[number + 1])
            cells.append((*span, int(inside.sum()), float(told.mean()), float(off.mean())))
        return [Table("ranges", "By true number", headers, tuple(cells))]

    def wrong(self, most: int) -> Table:
        """The rows whose number is furthest off."""
        off = np.abs(self.true - self.told)
        worst = np.argsort(-off, kind="stable")[:most]
        worst = worst[off[worst] > 0].tolist()
        texts = dict(self.asked.chosen(self.rows[place] for place in worst))
        cells = []
        for place in worst:
            example = texts[self.rows[place]]
            numbers = float(self.true[place]), float(self.told[place]), float(off[place])
            cells.append((example.where, *numbers, self.asked.text(example)))
        return Table("wrong", "Furthest off", ("where", "true", "told", "off by", "text"), tuple(cells))
