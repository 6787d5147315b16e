"""How well labels are told: which were taken for which, and the figures that follow from that table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num

Table = Num[np.ndarray, "true told"]
"""How often each label was taken for each, or a weighted sum of that."""


def confusion(true: Int[np.ndarray, " answer"], told: Int[np.ndarray, " answer"], labels: int) -> Table:
    """How often each of so many labels was taken for each."""
    counts = np.bincount(true * labels + told, minlength=labels * labels)
    return counts.reshape(labels, labels)


@dataclass(frozen=True)
class PerLabel:
    """How each label fares alone; ``true`` is how often it holds and ``told`` how often it is told.

    ::

        precision = right / told      recall = right / true      F1 = 2 · right / (true + told)

    What would be 0 / 0 is 0.
    """

    true: Num[np.ndarray, " label"]
    told: Num[np.ndarray, " label"]
    right: Num[np.ndarray, " label"]

    @property
    def precision(self) -> Float[np.ndarray, " label"]:
        """Of the times that a label is told, how many are right."""
        return ratio(self.right, self.told)

    @property
    def recall(self) -> Float[np.ndarray, " label"]:
        """Of the times that a label holds, how many are told."""
        return ratio(self.right, self.true)

    @property
    def f1(self) -> Float[np.ndarray, " label"]:
        """The harmonic mean of the two."""
        return ratio(2 * self.right, self.true + self.told)

    @property
    def there(self) -> np.ndarray:
        """Which labels hold or are told at all; the means leave out the others."""
        found: np.ndarray = self.true + self.told > 0
        return found

    def macro(self, values: Float[np.ndarray, " label"]) -> float:
        """The mean over labels, each counting alike; 0 where there is none."""
        return float(values[self.there].mean()) if self.there.any() else 0.0

    def weighted(self, values: Float[np.ndarray, " label"]) -> float:
        """The mean over labels, each counting as often as it holds; 0 where none does."""
        return float(values @ self.true / self.true.sum()) if self.true.sum() else 0.0

    def micro(self) -> tuple[float, float, float]:
        """Precision, recall and F1 of all answers together; where each has one label all are the accuracy."""
        true, told, right = (float(one.sum()) for one in (self.true, self.told, self.right))
        shares = ((right, told), (right, true), (2 * right, true + told))
        precision, recall, f1 = (part / whole if whole else 0.0 for part, whole in shares)
        return precision, recall, f1


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, and 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) != 0)


def per_label(table: Table) -> PerLabel:
    """How each label fares, from the table of confusions."""
    return PerLabel(table.sum(1), table.sum(0), table.diagonal())


def accuracy(table: Table) -> float:
    """The share of right answers; NaN where there is none."""
    return float(table.trace() / table.sum()) if table.sum() else float("nan")


def macro_f1(table: Table) -> float:
    """The mean of the labels' F1, each counting alike; labels that are neither there nor told are left out.

    >>> macro_f1(np.array([[3, 1], [0, 0]]))  # 6/7 of the first, 0 of the second
    0.42857142857142855
    """
    found = per_label(table)
    return found.macro(found.f1)


def matthews(table: Table) -> float:
    """The correlation of true and told labels (Matthews 1975; for several labels Gorodkin 2004, eq. 8).

    ::

        (right · n - Σ t_k p_k) / √((n² - Σ p_k²) (n² - Σ t_k²))

    t_k: how often label k holds, p_k: how often it is told. 1 is perfect and 0 no better than chance. NaN
    where it is undefined: all answers have one label, or one label is all that is told.
    """
    counts = table.astype(np.float64)
    true, told, total = counts.sum(1), counts.sum(0), counts.sum()
    spread = (total**2 - told @ told) * (total**2 - true @ true)
    if spread <= 0:
        return float("nan")
    return float((counts.trace() * total - true @ told) / np.sqrt(spread))
