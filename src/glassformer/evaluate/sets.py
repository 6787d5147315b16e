"""Answers that are sets of labels: how each label fares alone, and the threshold that serves F1 best."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num

from glassformer.evaluate.classes import PerLabel, ratio

Chosen = Num[np.ndarray, "answer label"]
"""1 where a label belongs to an answer, else 0."""


def fared_sets(true: Chosen, told: Chosen) -> PerLabel:
    """How often each label holds, is told, and both."""
    one, other = true.astype(bool), told.astype(bool)
    return PerLabel(one.sum(0), other.sum(0), (one & other).sum(0))


def exact_share(true: Chosen, told: Chosen) -> float:
    """The share of answers whose whole set is right; NaN of nothing."""
    return float((true.astype(bool) == told.astype(bool)).all(1).mean()) if len(true) else float("nan")


def best_threshold(true: Chosen, share: Float[np.ndarray, "answer label"]) -> tuple[float, float]:
    """The threshold that gives the highest micro F1 when labels at or above it are told, and that F1.

    Every probability that occurs is tried, from the highest down; of equal F1 the highest threshold is taken.
    Half between it and the next lower probability is given, so that roundings change nothing. 0.5 where no
    label holds anywhere.
    """
    right, sure = true.astype(bool).ravel(), share.ravel()
    if not right.any():
        return 0.5, 0.0
    order = np.argsort(-sure, kind="stable")
    hits, values = np.cumsum(right[order]), sure[order]
    last = np.append(values[1:] != values[:-1], True)  # behind the last of equal values
    f1 = ratio(2.0 * hits, np.arange(1, len(sure) + 1) + right.sum())
    places = np.flatnonzero(last)
    best = places[int(np.argmax(f1[places]))]
    below = values[best + 1] if best + 1 < len(values) else 0.0
    return float((values[best] + below) / 2), float(f1[best])
