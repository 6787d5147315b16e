"""Which examples a model is shown before it is asked, in which order, and with whose labels."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

Chosen = Literal["balanced", "random", "nearest"]
GRAM = 3  # letters


def drawn(labels: Sequence[str], count: int, seed: int, *, balanced: bool) -> list[int]:
    """The places of ``count`` examples, drawn at random; ``balanced``: of every label in turn.

    The first of them are those of a smaller count with the same seed. There are as many as there can be.
    """
    draw = random.Random(seed)
    places = list(range(len(labels)))
    draw.shuffle(places)
    if not balanced:
        return places[:count]
    known = sorted(set(labels))
    draw.shuffle(known)
    by_label = {label: [place for place in places if labels[place] == label] for label in known}
    deepest = max(map(len, by_label.values()), default=0)
    dealt = [
        by_label[label][turn] for turn in range(deepest) for label in known if turn < len(by_label[label])
    ]
    return dealt[:count]


def ordered(places: Sequence[int], seed: int) -> list[int]:
    """The same in an order that hangs on the seed alone; with seed 0 as they stand (Lu et al. 2022)."""
    found = list(places)
    if seed:
        random.Random(f"order {seed}").shuffle(found)
    return found


def relabelled(labels: Sequence[str], known: Sequence[str], seed: int) -> list[str]:
    """A label drawn at random for each, whatever its own (Min et al. 2022)."""
    draw = random.Random(f"labels {seed}")
    return [draw.choice(known) for _ in labels]


class Overlap:
    """How much of its letters, three at a time, a text has in common with each text of a pool.

    overlap(a, b) = |A ∩ B| / |A ∪ B|,   A and B the triples of letters
    """

    def __init__(self, pool: Sequence[str]) -> None:
        self._held: dict[str, list[int]] = {}
        self._sizes = np.zeros(len(pool), dtype=np.int64)
        for place, text in enumerate(pool):
            grams = _grams(text)
            self._sizes[place] = len(grams)
            for gram in grams:
                self._held.setdefault(gram, []).append(place)

    def __call__(self, text: str) -> Float[np.ndarray, " pool"]:
        """With every text of the pool, from 0 to 1."""
        grams = _grams(text)
        found = [self._held[gram] for gram in grams if gram in self._held]
        places = np.concatenate([np.array(one) for one in found]) if found else np.zeros(0, dtype=np.int64)
        shared = np.bincount(places, minlength=len(self._sizes))
        whole: np.ndarray = shared / np.maximum(self._sizes + len(grams) - shared, 1)
        return whole


def nearest(likeness: Float[np.ndarray, " pool"], count: int) -> Int[np.ndarray, " chosen"]:
    """The places of the ``count`` most alike, the nearest last, so that it stands beside the question.

    (Liu et al. 2022)
    """
    return np.argsort(-likeness, kind="stable")[:count][::-1].copy()


def _grams(text: str) -> set[str]:
    bare = f" {' '.join(text.lower().split())} "
    return {bare[place : place + GRAM] for place in range(max(len(bare) - GRAM + 1, 1))}
