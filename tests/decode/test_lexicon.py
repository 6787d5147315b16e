"""The lexicon: expectation maximisation as it stands in the paper, and what it learns."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from glassformer.decode import lexicon as module
from glassformer.decode.lexicon import lexicon

DAS, EIN, HAUS, BUCH = range(4)
THE, A, HOUSE, BOOK = range(4)
BOOKS = [([DAS, HAUS], [THE, HOUSE]), ([DAS, BUCH], [THE, BOOK]), ([EIN, BUCH], [A, BOOK])]


def _rows(pairs):
    return [(np.array(source, dtype=np.int32), np.array(target, dtype=np.int32)) for source, target in pairs]


def _by_loops(pairs, empty, rounds):
    """Model 1 with dictionaries, word by word."""
    chance = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        received, sums = defaultdict(float), defaultdict(float)
        for source, target in pairs:
            words = [*source, empty]
            for f in target:
                whole = sum(chance[e, f] for e in words)
                for e in words:
                    received[e, f] += chance[e, f] / whole
                    sums[e] += chance[e, f] / whole
        chance = defaultdict(float, {(e, f): amount / sums[e] for (e, f), amount in received.items()})
    return chance


@pytest.mark.parametrize("chunk", [1, 7, 1 << 22])
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_every_chance_is_that_of_plain_loops(monkeypatch, chunk, rounds):
    monkeypatch.setattr(module, "CHUNK", chunk)
    random = np.random.default_rng(3)
    pairs = [
        (random.integers(0, 9, random.integers(1, 6)).tolist(), random.integers(0, 7, 4).tolist())
        for _ in range(30)
    ]
    found = lexicon(_rows(pairs), (9, 7), rounds)
    wanted = _by_loops(pairs, 9, rounds)
    triples = zip(found.source.tolist(), found.target.tolist(), found.probability.tolist(), strict=True)
    got = {(e, f): p for e, f, p in triples}
    assert set(got) == {key for key, p in wanted.items() if p > 0}
    assert got == pytest.approx(dict(wanted), rel=1e-12)


def test_words_that_only_stand_beside_each_other_are_told_apart():
    found = lexicon(_rows(BOOKS), (4, 4), rounds=20)
    assert found.likeliest(1)[:, 0].tolist() == [THE, A, HOUSE, BOOK]


def test_what_was_not_seen_has_no_translation_and_rounds_are_told():
    told = []
    found = lexicon(_rows(BOOKS), (6, 4), 3, lambda: told.append(1))
    best = found.likeliest(3)
    assert (best[4:] == -1).all() and len(told) == 3
    assert (best[DAS] >= 0).all() and sorted(best[HAUS].tolist()) == [-1, THE, HOUSE]


def test_without_pairs_there_is_nothing():
    assert (lexicon([], (3, 3)).likeliest(2) == -1).all()
