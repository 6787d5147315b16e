"""Answers that are sets of labels: micro and macro F1, whole sets that are right, and the best threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from glassformer.evaluate.judge import Asked, Table
from glassformer.evaluate.sets import best_threshold, exact_share, fared_sets
from glassformer.evaluate.tables import label_table
from glassformer.objectives.objective import Told


class Judge:
    """Reads of each row ``true`` and ``told``, 1 for labels of the set, and ``share``, all probabilities.

    Figures: F1, precision and recall of all labels together (micro), the mean of the labels' F1 (macro), and
    the share of sets that are wholly right.
    """

    shown: Mapping[str, str] = {
        "micro_f1": "micro F1",
        "macro_f1": "macro F1",
        "micro_precision": "micro precision",
        "micro_recall": "micro recall",
        "exact_set": "whole sets right",
    }

    def __init__(self, told: Mapping[int, Told], asked: Asked) -> None:
        self.asked, self.rows = asked, list(told)
        columns = (len(self.rows), len(asked.labels))
        self.true = np.array([one["true"] for one in told.values()], dtype=np.int64).reshape(columns)
        self.told = np.array([one["told"] for one in told.values()], dtype=np.int64).reshape(columns)
        self.share = np.array([one["share"] for one in told.values()], dtype=np.float64).reshape(columns)

    def __len__(self) -> int:
        return len(self.rows)

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures, of all texts or of those drawn."""
        drawn = np.arange(len(self)) if rows is None else rows
        true, told = self.true[drawn], self.told[drawn]
        each = fared_sets(true, told)
        precision, recall, f1 = each.micro()
        return {
            "micro_f1": f1,
            "macro_f1": each.macro(each.f1),
            "micro_precision": precision,
            "micro_recall": recall,
            "exact_set": exact_share(true, told),
        }

    def notes(self) -> list[str]:
        """The threshold that would have served this set best, and labels that nobody has here."""
        value, f1 = best_threshold(self.true, self.share)
        found = [f"on this set a threshold of {value:.3f} gives the best micro F1, {f1:.4f}"]
        if len(self) and not self.true.any():
            return ["no text of this set has a label; F1 says nothing of it"]
        times = zip(self.asked.labels, self.true.sum(0).tolist(), strict=True)
        missing = [label for label, count in times if not count]
        if missing:
            found.append(f"not in this set: {', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}")
        return found

    def tables(self) -> list[Table]:
        """Precision, recall and F1 of each label."""
        return [label_table(fared_sets(self.true, self.told), self.asked.labels)]

    def wrong(self, most: int) -> Table:
        """The texts with the label that is told or left out most surely, and wrongly."""
        surest = np.where(self.told == 1, self.share, 1 - self.share)
        surest = np.where(self.true == self.told, -1.0, surest)
        label = surest.argmax(1) if surest.size else np.zeros(len(self), dtype=np.int64)
        sure = surest[np.arange(len(self)), label] if surest.size else np.zeros(len(self))
        worst = np.argsort(-sure, kind="stable")[:most]
        worst = worst[sure[worst] >= 0].tolist()
        texts = dict(self.asked.chosen(self.rows[place] for place in worst))
        cells = []
        for place in worst:
            example = texts[self.rows[place]]
            sides = self._names(self.true[place]), self._names(self.told[place])
            told_of = (self.asked.labels[label[place]], float(self.share[place, label[place]]))
            cells.append((example.where, *sides, *told_of, self.asked.text(example)))
        headers = ("where", "true", "told", "wrong in", "probability", "text")
        return Table("wrong", "Most sure and wrong", headers, tuple(cells))

    def _names(self, chosen: np.ndarray) -> str:
        names = [label for label, there in zip(self.asked.labels, chosen.tolist(), strict=True) if there]
        return ", ".join(names) or "none"
