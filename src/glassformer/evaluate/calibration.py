"""Whether probabilities mean what they say: expected calibration error and Brier score."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 15


def bins(sure: Float[np.ndarray, " answer"], count: int = BINS) -> Int[np.ndarray, " answer"]:
    """Which of ``count`` equal bins of (0, 1] each probability falls into; 0 is in the first."""
    return np.clip(np.ceil(sure * count).astype(np.int64) - 1, 0, count - 1)


def calibration_error(
    sure: Float[np.ndarray, " answer"], right: Bool[np.ndarray, " answer"], count: int = BINS
) -> float:
    """How far the probability of what is told lies from how often it is right (Guo et al. 2017, eq. 3).

    ::

        Σ_bins  n_b / n · |share that is right in b - mean probability in b|

    NaN where there is no answer.
    """
    if not len(sure):
        return float("nan")
    gaps = np.bincount(bins(sure, count), weights=right - sure, minlength=count)
    return float(np.abs(gaps).sum() / len(sure))


def brier(share: Float[np.ndarray, "answer label"], true: Int[np.ndarray, " answer"]) -> float:
    """The mean squared distance of the probabilities of all labels from the truth, 0 to 2 (Brier 1950).

    NaN where there is no answer.
    """
    return float(brier_each(share, true).mean()) if len(true) else float("nan")


def brier_each(
    share: Float[np.ndarray, "answer label"], true: Int[np.ndarray, " answer"]
) -> Float[np.ndarray, " answer"]:
    """The squared distance of each answer."""
    # Σ_k (p_k - y_k)² = Σ p_k² - 2 p_true + 1
    squared = np.einsum("ij,ij->i", share, share)
    chosen = share[np.arange(len(true)), true]
    return np.maximum(squared - 2 * chosen + 1, 0.0)
