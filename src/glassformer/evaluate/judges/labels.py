"""Answers that are one of a few labels: accuracy, F1, Matthews, calibration, and who is taken for whom."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from jaxtyping import Int

from glassformer.evaluate.calibration import BINS, bins, brier_each
from glassformer.evaluate.classes import accuracy, confusion, matthews, per_label
from glassformer.evaluate.judge import Asked, Table
from glassformer.evaluate.tables import confusion_table, label_table
from glassformer.objectives.objective import Told


class Judge:
    """Reads of each row ``true`` and ``told``, numbers of labels, and ``share``, the probability of each.

    Figures: accuracy, the labels' F1, precision and recall as plain means (macro) and weighted by how often a
    label holds, the Matthews correlation, expected calibration error and Brier score.
    """

    shown: Mapping[str, str] = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "weighted_f1": "weighted F1",
        "macro_precision": "macro precision",
        "macro_recall": "macro recall",
        "matthews": "Matthews correlation",
        "calibration_error": "calibration error",
        "brier": "Brier score",
    }

    def __init__(self, told: Mapping[int, Told], asked: Asked) -> None:
        self.asked, self.rows = asked, list(told)
        self.true = np.array([int(one["true"][0]) for one in told.values()], dtype=np.int64)
        self.told = np.array([int(one["told"][0]) for one in told.values()], dtype=np.int64)
        self.share = np.array([one["share"] for one in told.values()], dtype=np.float64)
        self.share = self.share.reshape(len(self.rows), len(asked.labels))
        self.sure = self.share[np.arange(len(self.rows)), self.told]

    def __len__(self) -> int:
        return len(self.rows)

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures, of all texts or of those drawn."""
        drawn = np.arange(len(self)) if rows is None else rows
        table = confusion(self.true[drawn], self.told[drawn], len(self.asked.labels))
        each = per_label(table)
        gaps = np.bincount(self._bins[drawn], weights=self._gaps[drawn], minlength=BINS)
        return {
            "accuracy": accuracy(table),
            "macro_f1": each.macro(each.f1),
            "weighted_f1": each.weighted(each.f1),
            "macro_precision": each.macro(each.precision),
            "macro_recall": each.macro(each.recall),
            "matthews": matthews(table),
            "calibration_error": float(np.abs(gaps).sum() / max(1, len(drawn))),
            "brier": float(self._brier[drawn].mean()) if len(drawn) else float("nan"),
        }

    def notes(self) -> list[str]:
        """What is undefined, and labels of which there is nothing here."""
        return one_label(self.true, self.told, self.asked)

    def tables(self) -> list[Table]:
        """Precision, recall and F1 of each label, and the confusion matrix."""
        table = confusion(self.true, self.told, len(self.asked.labels))
        return [label_table(per_label(table), self.asked.labels), confusion_table(table, self.asked.labels)]

    def wrong(self, most: int) -> Table:
        """The texts whose wrong label is told with the highest probability."""
        mistaken = np.flatnonzero(self.true != self.told)
        worst = mistaken[np.argsort(-self.sure[mistaken], kind="stable")][:most].tolist()
        texts = dict(self.asked.chosen(self.rows[place] for place in worst))
        labels = self.asked.labels
        cells = []
        for place in worst:
            example = texts[self.rows[place]]
            told, true = self.told[place], self.true[place]
            cells.append(
                (
                    example.where,
                    labels[true],
                    labels[told],
                    float(self.sure[place]),
                    float(self.share[place, true]),
                    self.asked.text(example),
                )
            )
        headers = ("where", "true", "told", "probability", "of the true", "text")
        return Table("wrong", "Most sure and wrong", headers, tuple(cells))

    @cached_property
    def _bins(self) -> Int[np.ndarray, " answer"]:
        return bins(self.sure)

    @cached_property
    def _gaps(self) -> np.ndarray:
        gaps: np.ndarray = (self.true == self.told) - self.sure
        return gaps

    @cached_property
    def _brier(self) -> np.ndarray:
        return brier_each(self.share, self.true)


def one_label(true: np.ndarray, told: np.ndarray, asked: Asked) -> list[str]:
    """What must be said of a set in which not every label occurs, or of a model that tells only one."""
    there, said = set(true.tolist()), set(told.tolist())
    names = [asked.labels[number] for number in sorted(there)]
    if len(there) == 1:
        return [f"all answers of this set are {names[0]!r}; macro F1 and Matthews say little of such a set"]
    found = []
    if len(said) == 1:
        told_name = asked.labels[said.pop()]
        found.append(f"the model tells {told_name!r} of everything; the Matthews correlation is undefined")
    missing = [label for number, label in enumerate(asked.labels) if number not in there]
    if missing:
        found.append(f"not in this set: {', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}")
    return found
