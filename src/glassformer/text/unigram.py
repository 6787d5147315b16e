"""Learning the pieces of a unigram language model: the ones that make the text likeliest (Kudo 2018, §3.2).

The ``tokenizers`` library has a trainer too, but its sums run in another order each time, and so its scores
differ; here the same text always gives the same pieces and the same scores.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_LONGEST = 16
_SEEDS_PER_PIECE = 10
_SHRINK = 0.75
_SPARE = 1.1
_LEAST_COUNT = 0.5
# All paths through a word spell the same letters, so a factor per letter changes no share of a path, and it
# keeps the products along a word of 64 letters within the range of a double.
_PER_LETTER = 1e3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Lattice:
    """Every way to cut words into pieces, with sums over all ways of all words at once.

    The words lie one after another as nodes, one before each letter and one at the end. An edge is one piece
    in one place of one word. Sums go from place to place, all words together.
    """

    def __init__(self, words: Sequence[str], rows: dict[str, int], *, whole: bool = True) -> None:
        """``rows`` numbers the pieces; without ``whole`` no word may be one piece."""
        lengths = np.array([len(word) for word in words], dtype=np.int64)
        self.first = np.cumsum(lengths + 1) - lengths - 1
        self.last = self.first + lengths
        edges = np.array(list(_edges(words, rows, whole)), dtype=np.int64).reshape(-1, 4)
        self.word, begin, stop, self.piece = edges.T
        self.start, self.end = self.first[self.word] + begin, self.first[self.word] + stop
        self.weight = _PER_LETTER ** (stop - begin).astype(np.float64)
        self.forward = list(_steps(stop, self.end))
        self.backward = list(_steps(begin, self.start))[::-1]

    def _sum(self, at: Ints, steps: list[tuple[Ints, Ints, Ints]], source: Ints, chance: Floats) -> Floats:
        """The summed chance of all paths between the ``at`` node of a word and each of its nodes."""
        total = np.zeros(len(self.first) + int((self.last - self.first).sum()))
        total[at] = 1.0
        for edges, nodes, groups in steps:
            total[nodes] = np.add.reduceat(total[source[edges]] * chance[edges], groups)
        return total

    def _chance(self, share: Floats) -> Floats:
        chance: Floats = share[self.piece] * self.weight
        return chance

    def expect(self, share: Floats, counts: Floats) -> Floats:
        """How often each piece is expected, where words occur ``counts`` times and pieces by these shares."""
        chance = self._chance(share)
        before = self._sum(self.first, self.forward, self.start, chance)
        after = self._sum(self.last, self.backward, self.end, chance)
        found = before[self.start] * chance * after[self.end] * (counts / before[self.last])[self.word]
        expected: Floats = np.bincount(self.piece, found, minlength=len(share)).astype(np.float64)
        return expected

    def chances(self, share: Floats) -> Floats:
        """log of the chance of each word, over all its ways to be cut; minus infinity when there is none."""
        total = self._sum(self.first, self.forward, self.start, self._chance(share))[self.last]
        with np.errstate(divide="ignore"):
            logp: Floats = np.log(total) - (self.last - self.first) * np.log(_PER_LETTER)
        return logp


def _edges(words: Sequence[str], rows: dict[str, int], whole: bool) -> Iterator[tuple[int, int, int, int]]:
    for number, word in enumerate(words):
        size = len(word)
        for begin in range(size):
            for stop in range(begin + 1, min(begin + _LONGEST, size) + 1):
                row = rows.get(word[begin:stop])
                if row is not None and (whole or stop - begin < size):
                    yield number, begin, stop, row


def _steps(place: Ints, node: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each place in the words: its edges ordered by node, those nodes, where each node's edges begin."""
    order = np.lexsort((node, place))
    bounds = np.flatnonzero(np.diff(place[order])) + 1
    for edges in np.split(order, bounds):
        nodes, groups = np.unique(node[edges], return_index=True)
        yield edges, nodes, groups


def learn(words: Sequence[tuple[str, int]], size: int, needed: Sequence[str]) -> list[tuple[str, float]]:
    """At most ``size`` pieces with the log of their share, likeliest first; all ``needed`` characters stay.

    From many frequent substrings, those go whose loss the text would feel least, a quarter at a time, with
    expectation and maximization in between (Kudo 2018, §3.2).
    """
    seeds = _seeds(words, size * _SEEDS_PER_PIECE, needed)
    pieces = list(seeds)
    rows = {piece: row for row, piece in enumerate(pieces)}
    counts = np.array([count for _, count in words], dtype=np.float64)
    lattice = Lattice([word for word, _ in words], rows)
    others = Lattice(pieces, rows, whole=False)
    fixed = np.isin(np.array(pieces), np.array(list(needed)))
    share = np.array(list(seeds.values()), dtype=np.float64)
    share /= share.sum()
    while True:
        share, found = _fit(lattice, share, counts, fixed)
        alive = int((share > 0).sum())
        if alive <= size * _SPARE:
            break
        loss = _loss(share, found, others)
        share = _keep(share, np.where(fixed, np.inf, loss), max(int(size * _SPARE), int(alive * _SHRINK)))
    share = _keep(share, np.where(fixed, np.inf, share), size)
    order = np.lexsort((np.arange(len(pieces)), -share))
    # Few enough digits for every reader of a file to give back the very same number.
    return [(pieces[row], round(float(np.log(share[row])), 9)) for row in order if share[row] > 0]


def _seeds(words: Sequence[tuple[str, int]], size: int, needed: Sequence[str]) -> dict[str, int]:
    """The substrings that cover most of the text and occur more than once, each with its count."""
    counts: Counter[str] = Counter()
    for word, count in words:
        for begin in range(len(word)):
            for stop in range(begin + 2, min(begin + _LONGEST, len(word)) + 1):
                counts[word[begin:stop]] += count
    single: Counter[str] = Counter()
    for word, count in words:
        for letter in word:
            single[letter] += count
    best = sorted(
        (p for p, n in counts.items() if n > 1), key=lambda piece: (-counts[piece] * len(piece), piece)
    )
    return {**{c: max(single[c], 1) for c in sorted(needed)}, **{p: counts[p] for p in best[:size]}}


def _fit(lattice: Lattice, share: Floats, counts: Floats, fixed: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Two rounds of expectation and maximization: new shares and the expected counts behind them.

    Shares are exp(digamma(count)), the mean of the logarithm under a Dirichlet posterior, which starves rare
    pieces (Liang & Klein 2007).
    """
    found = np.zeros_like(share)
    for _ in range(2):
        found = lattice.expect(share, counts)
        found[fixed] = np.maximum(found[fixed], _LEAST_COUNT)
        found[found < _LEAST_COUNT] = 0.0
        share = np.where(found > 0, np.exp(_digamma(np.maximum(found, _LEAST_COUNT))), 0.0)
        share = share / share.sum()
    return share, found


def _digamma(x: Floats) -> Floats:
    """ψ(x) = ψ(x + 1) − 1/x, and a series for large x (Abramowitz & Stegun 1964, 6.3.5 and 6.3.18)."""
    shift = sum(1.0 / (x + step) for step in range(6))
    far = x + 6.0
    square = far**-2.0
    series = square * (1 / 12 - square * (1 / 120 - square / 252))
    digamma: Floats = np.log(far) - 0.5 / far - series - shift
    return digamma


def _loss(share: Floats, found: Floats, others: Lattice) -> Floats:
    """What the log-likelihood of the text loses with each piece, its places left to the pieces inside it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = found * (np.log(share) - others.chances(share))
    return np.where(share > 0, loss, -np.inf)


def _keep(share: Floats, worth: Floats, size: int) -> Floats:
    """The shares of the ``size`` pieces of most worth; the others' are zero."""
    kept = np.zeros_like(share)
    best = np.lexsort((np.arange(len(share)), -worth))[:size]
    kept[best] = share[best]
    return kept
