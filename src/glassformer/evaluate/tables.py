"""Tables that several judges show: how each label fares, and which is taken for which."""

from __future__ import annotations

from collections.abc import Sequence

from glassformer.evaluate.classes import PerLabel
from glassformer.evaluate.classes import Table as Confusion
from glassformer.evaluate.judge import Table


def label_table(each: PerLabel, labels: Sequence[str]) -> Table:
    """Precision, recall and F1 of each label, how often it holds, and how often it is told."""
    columns = (each.precision, each.recall, each.f1, each.true, each.told)
    rows = [(label, *(column[place].item() for column in columns)) for place, label in enumerate(labels)]
    headers = ("label", "precision", "recall", "F1", "true", "told")
    return Table("labels", "Each label", headers, tuple(rows))


def confusion_table(table: Confusion, labels: Sequence[str]) -> Table:
    """A row for each true label, a column for what was told of it."""
    rows = [(label, *counts) for label, counts in zip(labels, table.tolist(), strict=True)]
    return Table("confusion", "True label (rows), told (columns)", ("true \\ told", *labels), tuple(rows))
