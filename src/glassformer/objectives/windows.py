"""Words and those around them, drawn from text: sub-sampling, windows of random width, shared noise words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.lib.stride_tricks import sliding_window_view

CHUNK = 16
"""How many words of a text share their noise words, and so are one matrix in every product."""


@dataclass(frozen=True)
class Chunks:
    """Text cut into chunks of ``CHUNK`` words that are each seen with ``window`` words on either side.

    ::

        window 2     words     . . a b c d e f        the chunk is a b c d
                     pairs       0 0 · 1 1            a sees b and c
                                   0 1 · 1 0          b, with a window of 1, sees a and c   …

    ``pairs[chunk, i, o]`` says whether word ``i`` sees the word ``o − window`` places behind it; ``seen`` is
    how many a word sees. ``spread`` has the places of all words in another order: every ``CHUNK`` of them
    stand as far from each other in their text as can be, and have hardly anyone around them in common.
    """

    words: Int[np.ndarray, "chunk width"]
    pairs: Bool[np.ndarray, "chunk word around"]
    seen: Int[np.ndarray, "chunk word"]
    spread: Int[np.ndarray, " place"]


class Sampler:
    """Draws what word2vec is trained on from texts and the counts of their words.

    A word of frequency f is kept with probability √(sample / f) + sample / f, as in the program of the
    authors; the paper's 1 − √(sample / f) of what is left out (Mikolov et al. 2013b, §2.3) is nearly the
    same. Windows then close over what was left out. Noise words are drawn by count to the power of
    ``power`` (§2.2). Words that are no ``ordinary`` ones, such as ends of texts, are left out and not drawn.
    """

    def __init__(
        self,
        counts: Float[np.ndarray, " vocab"],
        ordinary: Bool[np.ndarray, " vocab"],
        *,
        window: int,
        sample: float,
        power: float,
    ) -> None:
        self.window = window
        known = np.where(ordinary, counts, 0).astype(np.float64)
        frequency = known / max(1.0, known.sum())
        # A word that the counted text has not is as rare as can be.
        share = np.divide(sample, frequency, out=np.full_like(frequency, np.inf), where=frequency > 0)
        likely = np.sqrt(share) + share if sample else np.ones_like(share)
        self.keep = np.where(ordinary, np.minimum(likely, 1.0), 0.0).astype(np.float32)
        weights = np.where(known > 0, known, 0.0) ** power * (known > 0)
        self.ends = np.cumsum(weights) / max(weights.sum(), np.finfo(np.float64).tiny)
        self.size = len(counts)

    def chunks(
        self,
        tokens: Int[np.ndarray, " token"],
        documents: Int[np.ndarray, " token"],
        rng: np.random.Generator,
    ) -> Chunks:
        """A text after sub-sampling, each word with a window of 1 to ``window`` within its document."""
        kept = np.flatnonzero(rng.random(len(tokens), dtype=np.float32) < self.keep[tokens])
        size, window = len(kept), self.window
        count = max(1, -(-size // CHUNK))  # a chunk of nothing where nothing is left
        words = np.zeros(count * CHUNK + 2 * window, dtype=np.int64)
        words[window : window + size] = tokens[kept]
        before, behind = _room(documents[kept], window)
        reach = rng.integers(1, window + 1, size)
        reaches = np.zeros((2, count * CHUNK, 1), dtype=np.int8)
        np.minimum(reach, before, out=reaches[0, :size, 0], casting="unsafe")
        np.minimum(reach, behind, out=reaches[1, :size, 0], casting="unsafe")
        offsets = np.arange(-window, window + 1, dtype=np.int8)
        pairs = (offsets >= -reaches[0]) & (offsets <= reaches[1])
        pairs[:, window] = False
        return Chunks(
            sliding_window_view(words, CHUNK + 2 * window)[::CHUNK],
            pairs.reshape(count, CHUNK, 2 * window + 1),
            reaches.sum(0, dtype=np.int64).reshape(count, CHUNK),
            np.arange(count * CHUNK).reshape(CHUNK, count).T.reshape(-1),
        )

    def noise(self, count: int, each: int, rng: np.random.Generator) -> Int[np.ndarray, "count each"]:
        """``each`` noise words for each of ``count`` chunks."""
        drawn = np.searchsorted(self.ends, rng.random((count, each)), side="right")
        return np.minimum(drawn, self.size - 1)


def _room(documents: Int[np.ndarray, " token"], most: int) -> tuple[np.ndarray, np.ndarray]:
    """How many words of its own document stand before each word and behind it, told up to ``most``."""
    places = np.arange(len(documents))
    edges = np.flatnonzero(np.diff(documents, prepend=-1, append=-1))
    sizes = np.diff(edges)
    starts = np.repeat(edges[:-1], sizes)
    before = places - starts
    return np.minimum(before, most), np.minimum(np.repeat(sizes, sizes) - 1 - before, most)


def joined(parts: Sequence[Chunks]) -> Chunks:
    """The chunks of several texts one after another."""
    words, pairs, seen = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("words", "pairs", "seen")
    )
    firsts = np.cumsum([0, *(len(part.spread) for part in parts)])
    return Chunks(
        words,
        pairs,
        seen,
        np.concatenate([part.spread + first for part, first in zip(parts, firsts[:-1], strict=True)]),
    )


def gathered(
    words: Int[np.ndarray, "*shape"], size: int
) -> tuple[Int[np.ndarray, " row"], Int[np.ndarray, "*shape"]]:
    """The different words, in order, and for every place which of them stands there."""
    seen = np.zeros(size, dtype=bool)
    seen[words.reshape(-1)] = True
    rows = np.flatnonzero(seen)
    number = np.empty(size, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    return rows, number[words]


def bags(chunks: Chunks, size: int) -> dict[str, np.ndarray]:
    """Those around each word one word after another, and the same turned about: by whom each is seen.

    ``near`` has the words that the first word in the order of ``spread`` sees, then those that the second
    sees …, and ``starts`` where those of each word begin. For the different words, ``input_rows``, see
    ``readers``. ``size`` is how many words there are.
    """
    width, around = chunks.words.shape[1], chunks.pairs.shape[2]
    rows, numbers = gathered(chunks.words, size)
    order, seen = chunks.spread, chunks.seen.reshape(-1)[chunks.spread]
    places = np.arange(len(seen))
    # The number of a pair, less those of the words before, is how far its window goes to the other word.
    begins = order + order // CHUNK * (width - CHUNK) - around * places
    seer = np.repeat(places, seen)
    pairs = chunks.pairs.reshape(-1, around)[order]
    number = numbers.reshape(-1)[np.flatnonzero(pairs) + begins[seer]]
    order, starts = readers(number, len(rows))
    return {
        "input_rows": rows,
        "near": rows[number],
        "starts": np.cumsum(seen) - seen,
        "input_readers": seer[order],
        "input_starts": starts,
    }


def readers(
    numbers: Int[np.ndarray, " place"], rows: int
) -> tuple[Int[np.ndarray, " place"], Int[np.ndarray, " row"]]:
    """The places that read the first row, then those that read the second …; where those of each begin."""
    counts = np.bincount(numbers, minlength=rows)
    # Numbers of 16 bits are sorted by their digits, which is ten times as fast.
    order = np.argsort(numbers.astype(np.uint16) if rows <= 1 << 16 else numbers, kind="stable")
    return order, np.cumsum(counts) - counts
