"""The likeliest sequence of labels among those that are legal, found without trying all of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int


def likeliest(
    logp: Float[np.ndarray, "place label"], legal: Bool[np.ndarray, "before after"]
) -> Int[np.ndarray, " place"]:
    """The legal sequence whose log-probabilities have the largest sum (Viterbi 1967).

    ::

        best(t, y) = logp(t, y) + max_{x: legal[x, y]} best(t - 1, x)

    The last row of ``legal`` says what may begin a sequence, its last column what may end one. Of equal sums
    the labels that come first are taken, from the end on. Where no sequence is legal at all, each place has
    its likeliest label.
    """
    places, labels = logp.shape
    if not places:
        return np.zeros(0, dtype=np.int64)
    barred = np.where(legal, 0.0, -np.inf)
    score = np.maximum(logp[0].astype(np.float64), -1e30) + barred[-1, :-1]
    back = np.zeros((places, labels), dtype=np.int64)
    for place in range(1, places):
        through = score[:, None] + barred[:-1, :-1]
        back[place] = through.argmax(axis=0)
        score = through.max(axis=0) + np.maximum(logp[place], -1e30)
    score = score + barred[:-1, -1]
    found = np.zeros(places, dtype=np.int64)
    found[-1] = score.argmax()
    if score[found[-1]] == -np.inf:
        return logp.argmax(axis=1)
    for place in range(places - 1, 0, -1):
        found[place - 1] = back[place, found[place]]
    return found
