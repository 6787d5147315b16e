"""Resampling a test set: draws with replacement, and the interval that a figure takes over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float, Int

BLOCK = 64  # resamples drawn at a time, so that memory stays at 64 × rows however many are asked for
SAMPLES, SEED = 1000, 12345

Interval = tuple[float, float]
"""The 2.5th and the 97.5th percentile."""


def draws(rows: int, samples: int, seed: int) -> Iterator[Int[np.ndarray, "resample row"]]:
    """``samples`` draws of as many rows as there are, with replacement, a block at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, samples, BLOCK):
        yield rng.choice(rows, size=(min(BLOCK, samples - start), rows), replace=True)


def interval(values: Float[np.ndarray, " resample"]) -> Interval:
    """Where the middle 95 % of values lie; those that are undefined are left out, NaN when all are."""
    real = np.asarray(values, dtype=np.float64)
    real = real[~np.isnan(real)]
    if not len(real):
        return float("nan"), float("nan")
    low, high = np.percentile(real, [2.5, 97.5])
    return float(low), float(high)


def intervals(
    figures: Callable[[Int[np.ndarray, " row"]], Mapping[str, float]],
    rows: int,
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> dict[str, Interval]:
    """For every figure its 95 % interval over resamples of the rows (Efron 1979, percentile bootstrap)."""
    if not rows:
        return {}
    found: dict[str, list[float]] = {}
    for block in draws(rows, samples, seed):
        for drawn in block:
            for name, value in figures(drawn).items():
                found.setdefault(name, []).append(value)
    return {name: interval(np.array(values)) for name, values in found.items()}
