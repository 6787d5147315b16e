"""How well numbers are told: correlations, of values and of ranks, and the usual distances."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Numbers = Float[np.ndarray, " answer"]


def pearson(true: Numbers, told: Numbers) -> float:
    """The linear correlation; NaN where it is undefined: fewer than two, or all are alike.

    ::

        Σ (x - x̄)(y - ȳ) / √(Σ (x - x̄)² · Σ (y - ȳ)²)
    """
    if len(true) < 2 or np.ptp(true) == 0 or np.ptp(told) == 0:
        return float("nan")
    one, other = _unit(true), _unit(told)
    return float(np.clip(one @ other, -1.0, 1.0))


def _unit(values: Numbers) -> Numbers:
    """The distances from the mean, scaled to length 1; scaled twice so that no square under- or overflows."""
    apart = values - values.mean()
    largest = np.abs(apart).max()
    apart = apart / largest if largest else apart
    length = np.linalg.norm(apart)
    found: Numbers = apart / length if length else apart
    return found


def spearman(true: Numbers, told: Numbers) -> float:
    """The correlation of ranks, equal values sharing the mean of theirs; NaN as Pearson's."""
    return pearson(ranks(true), ranks(told))


def ranks(values: Numbers) -> Numbers:
    """The rank of each value from 1, where equal ones share the mean of theirs.

    >>> ranks(np.array([3.0, 1.0, 3.0]))
    array([2.5, 1. , 2.5])
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: Numbers = (ends - (counts - 1) / 2)[group.reshape(-1)]
    return found


def squared_error(true: Numbers, told: Numbers) -> float:
    """The mean squared distance; NaN of nothing."""
    return float(np.square(true - told).mean()) if len(true) else float("nan")


def absolute_error(true: Numbers, told: Numbers) -> float:
    """The mean distance; NaN of nothing."""
    return float(np.abs(true - told).mean()) if len(true) else float("nan")
