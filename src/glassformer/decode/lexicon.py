"""Which target tokens translate which source tokens, learned from pairs of sentences (IBM's Model 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Pair = tuple[np.ndarray, np.ndarray]
"""The ids of a sentence and of its translation; each pair has lengths of its own."""

CHUNK = 1 << 22  # links looked at together; a link takes some fifty bytes


@dataclass(frozen=True)
class Lexicon:
    """t(f | e) for every pair of tokens that were seen together: the chance that e is translated by f.

    ``source`` is e, ``target`` is f; sorted by both. The empty word, which stands in every source sentence,
    has the id ``sizes[0]``.
    """

    source: Int[np.ndarray, " pairs"]
    target: Int[np.ndarray, " pairs"]
    probability: Float[np.ndarray, " pairs"]
    sizes: tuple[int, int]

    def likeliest(self, most: int) -> Int[np.ndarray, "source most"]:
        """For each source token the ``most`` likely target tokens, best first; −1 where fewer were seen."""
        best = np.full((self.sizes[0], most), -1, dtype=np.int32)
        real = self.source < self.sizes[0]
        source, target, probability = self.source[real], self.target[real], self.probability[real]
        order = np.lexsort((target, -probability, source))
        source, target = source[order], target[order]
        rank = np.arange(len(source)) - np.searchsorted(source, source)
        kept = rank < most
        best[source[kept], rank[kept]] = target[kept]
        return best


def lexicon(
    pairs: Sequence[Pair],
    sizes: tuple[int, int],
    rounds: int = 4,
    on_round: Callable[[], None] = lambda: None,
) -> Lexicon:
    """Fit Model 1 by expectation maximisation (Brown et al. 1993, §4.2), from equal chances for all.

    ``sizes`` are those of the two vocabularies. In each round every target token is divided among the source
    tokens of its sentence, and the empty word, by t(f | e); what each e received, summed up and divided by
    all that it received, is its next t. ``on_round`` is told after each.
    """
    keys = np.unique(np.concatenate([np.unique(key) for key, _ in _links(pairs, sizes)] or [_NOTHING]))
    source = keys // sizes[1]
    chance = np.ones(len(keys))
    for _ in range(rounds):
        received = np.zeros(len(keys))
        for key, cell in _links(pairs, sizes):
            at = np.searchsorted(keys, key)
            share = chance[at] / np.bincount(cell, chance[at])[cell]
            received += np.bincount(at, share, minlength=len(keys))
        chance = received / np.maximum(np.bincount(source, received)[source], np.finfo(np.float64).tiny)
        on_round()
    return Lexicon(source, keys % sizes[1], chance, sizes)


_NOTHING = np.zeros(0, dtype=np.int64)

_Links = tuple[Int[np.ndarray, " links"], Int[np.ndarray, " links"]]


def _links(pairs: Sequence[Pair], sizes: tuple[int, int]) -> Iterator[_Links]:
    """Every source token beside every target token of its sentence: e · |F| + f, and which target token.

    Sentences come together until there are ``CHUNK`` links or so; target tokens are counted from 0 in each.
    """
    keys: list[np.ndarray] = []
    cells: list[np.ndarray] = []
    links = targets = 0
    for source, target in pairs:
        widened = np.append(source, sizes[0]).astype(np.int64) * sizes[1]
        keys.append((target[:, None] + widened).ravel())
        cells.append(np.repeat(np.arange(targets, targets + len(target)), len(widened)))
        links, targets = links + keys[-1].size, targets + len(target)
        if links >= CHUNK:
            yield np.concatenate(keys), np.concatenate(cells)
            keys, cells, links, targets = [], [], 0, 0
    if links:
        yield np.concatenate(keys), np.concatenate(cells)
