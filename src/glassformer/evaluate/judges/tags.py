"""Answers that are a tag for every word: accuracy and F1 over words, and over the entities that tags mark."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from glassformer.data.tags import marks_spans
from glassformer.evaluate.classes import PerLabel, accuracy, per_label
from glassformer.evaluate.judge import Asked, Table
from glassformer.evaluate.judges.labels import one_label
from glassformer.evaluate.spans import counted, fared, kinds_of
from glassformer.evaluate.tables import confusion_table, label_table
from glassformer.objectives.objective import Told

OUTSIDE = "O"
"""The tag of a word that belongs to nothing."""


class Judge:
    """Reads of each row ``true`` and ``told``, a number for each word, and ``share``, words × labels.

    Where ``full`` says that a row may have lost words at its end, these are looked for among the examples and
    count as told to be ``O``, as the scorers of shared tasks count what a system leaves out; where no tag is
    ``O``, as wrong.
    Figures: accuracy and macro F1 over words; where the tags mark entities also F1, precision and recall over
    entities, all alike (micro), and the mean of the kinds' F1. Resamples draw sentences.
    """

    shown: Mapping[str, str] = {
        "entity_f1": "entity F1",
        "entity_precision": "entity precision",
        "entity_recall": "entity recall",
        "entity_macro_f1": "entity F1, mean of kinds",
        "accuracy": "accuracy of words",
        "macro_f1": "macro F1 of tags",
    }

    def __init__(self, told: Mapping[int, Told], asked: Asked) -> None:
        self.asked, self.rows = asked, list(told)
        self.cut: dict[int, int] = {}
        told = self._whole(told)
        self.true = [one["true"].astype(np.int64) for one in told.values()]
        self.told = [one["told"].astype(np.int64) for one in told.values()]
        self.share = [one["share"] for one in told.values()]
        size = len(asked.labels)
        self._codes = _joined([true * size + told for true, told in zip(self.true, self.told, strict=True)])
        self._sentence = np.repeat(np.arange(len(self)), [len(one) for one in self.true])
        self.entities = marks_spans(asked.labels)
        self.kinds = kinds_of(asked.labels) if self.entities else []
        named = zip(map(self._named, self.true), map(self._named, self.told), strict=True)
        self._counts = counted(named, self.kinds) if self.entities else np.zeros((len(self), 3, 0), np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures, of all sentences or of those drawn."""
        times = np.ones(len(self)) if rows is None else np.bincount(rows, minlength=len(self))
        table = self._table(times)
        found = {"accuracy": accuracy(table), "macro_f1": _macro(per_label(table))}
        if self.entities:
            each = fared(np.tensordot(times, self._counts, axes=1))
            names = ("entity_precision", "entity_recall", "entity_f1")
            found |= dict(zip(names, each.micro(), strict=True)) | {"entity_macro_f1": _macro(each)}
        return found

    def notes(self) -> list[str]:
        """What is undefined, and tags of which there is nothing here."""
        found = one_label(_joined(self.true), _joined(self.told), self.asked)
        if self.cut:
            words, instead = sum(self.cut.values()), "O" if OUTSIDE in self.asked.labels else "wrong"
            found.append(
                f"{words:,} of {len(_joined(self.true)):,} words, in {len(self.cut):,} of {len(self):,} "
                f"texts, stand beyond what the model reads at once; they count as {instead}"
            )
        if self.entities and not self._counts[:, 0].any():
            found.append("there is no entity in this set; F1 over entities says nothing of it")
        return found

    def tables(self) -> list[Table]:
        """Precision, recall and F1 of each kind of entity or of each tag, and the confusion matrix."""
        table = self._table(np.ones(len(self))).astype(np.int64)
        each, names = per_label(table), list(self.asked.labels)
        if self.entities:
            each, names = fared(self._counts.sum(axis=0)), self.kinds
        return [label_table(each, names), confusion_table(table, self.asked.labels)]

    def wrong(self, most: int) -> Table:
        """The words whose wrong tag is told with the highest probability."""
        sure = _joined([share[np.arange(len(n)), n] for share, n in zip(self.share, self.told, strict=True)])
        true, told = np.divmod(self._codes, len(self.asked.labels))
        mistaken = np.flatnonzero(true != told)
        worst = mistaken[np.argsort(-sure[mistaken], kind="stable")][:most]
        texts = dict(self.asked.chosen(self.rows[one] for one in self._sentence[worst].tolist()))
        firsts = np.cumsum([0, *map(len, self.true)])
        cells = []
        for place in worst.tolist():
            sentence = int(self._sentence[place])
            example, word = texts[self.rows[sentence]], place - int(firsts[sentence])
            fields, labels = example.fields, (self.asked.labels[true[place]], self.asked.labels[told[place]])
            told_of = (float(sure[place]), fields["words"][word], self.asked.text(example))
            cells.append((fields["places"][word], *labels, *told_of))
        headers = ("where", "true", "told", "probability", "word", "text")
        return Table("wrong", "Most sure and wrong", headers, tuple(cells))

    def _whole(self, told: Mapping[int, Told]) -> Mapping[int, Told]:
        """All words of every text; how many of which were not read stands in ``cut``."""
        full = [row for row, one in told.items() if one.get("full", np.zeros(1)).any()]
        found, place = dict(told), {label: number for number, label in enumerate(self.asked.labels)}
        for row, example in self.asked.chosen(full) if full else ():
            read = len(told[row]["true"])
            missed = np.array([place[tag] for tag in example.fields["tags"][read:]], dtype=np.int64)
            if len(missed):
                self.cut[row] = len(missed)
                other = (
                    np.full_like(missed, place[OUTSIDE]) if OUTSIDE in place else (missed + 1) % len(place)
                )
                found[row] = _longer(told[row], missed, other)
        return found

    def _named(self, numbers: np.ndarray) -> list[str]:
        return [self.asked.labels[number] for number in numbers.tolist()]

    def _table(self, times: np.ndarray) -> np.ndarray:
        size = len(self.asked.labels)
        counts = np.bincount(self._codes, weights=times[self._sentence], minlength=size * size)
        return counts.reshape(size, size)


def _longer(told: Told, missed: np.ndarray, instead: np.ndarray) -> Told:
    """What was told of a row with the words that were not read, of which nothing is probable."""
    nothing = np.zeros((len(missed), told["share"].shape[1]))
    return {
        "true": np.concatenate([told["true"], missed]),
        "told": np.concatenate([told["told"], instead]),
        "share": np.concatenate([told["share"], nothing]),
    }


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)


def _macro(each: PerLabel) -> float:
    return each.macro(each.f1)
