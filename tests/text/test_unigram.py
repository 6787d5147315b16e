"""The unigram model: sums over cuts against every cut written out."""

import itertools
import math

import numpy as np
import pytest

from glassformer.text.unigram import Lattice, _digamma, learn

WORDS = ("abab", "ab", "a", "bba")
ROWS = {"a": 0, "b": 1, "ab": 2, "bb": 3, "aba": 4}
SHARE = np.array([0.3, 0.2, 0.25, 0.15, 0.1])


def _cuts(word: str) -> list[list[str]]:
    cuts = []
    for places in itertools.product([False, True], repeat=len(word) - 1):
        bounds = [0, *(i + 1 for i, cut in enumerate(places) if cut), len(word)]
        pieces = [word[a:b] for a, b in itertools.pairwise(bounds)]
        if all(piece in ROWS for piece in pieces):
            cuts.append(pieces)
    return cuts


def _chance(pieces: list[str]) -> float:
    return math.prod(float(SHARE[ROWS[piece]]) for piece in pieces)


def test_the_chance_of_a_word_is_the_sum_over_its_cuts() -> None:
    found = Lattice(WORDS, ROWS).chances(SHARE)
    assert found == pytest.approx([math.log(sum(map(_chance, _cuts(word)))) for word in WORDS])


def test_a_word_that_may_not_be_one_piece_is_cut() -> None:
    found = Lattice(["ab", "a"], ROWS, whole=False).chances(SHARE)
    assert found[0] == pytest.approx(math.log(0.3 * 0.2))
    assert found[1] == -math.inf


def test_expected_counts_weigh_every_cut_by_its_chance() -> None:
    times = np.array([1.0, 2.0, 3.0, 5.0])
    expected = np.zeros(len(ROWS))
    for word, count in zip(WORDS, times, strict=True):
        total = sum(map(_chance, _cuts(word)))
        for pieces in _cuts(word):
            for piece in pieces:
                expected[ROWS[piece]] += count * _chance(pieces) / total
    assert Lattice(WORDS, ROWS).expect(SHARE, times) == pytest.approx(expected)


def test_long_words_neither_vanish_nor_overflow() -> None:
    rare = np.array([1e-7, 1 - 1e-7, 0, 0, 0])
    word = ("a" * 64, "b" * 64)
    found = Lattice(word, ROWS).chances(rare)
    assert found == pytest.approx([64 * math.log(1e-7), 64 * math.log(1 - 1e-7)])


def test_digamma_is_the_derivative_of_the_logarithm_of_gamma() -> None:
    x = np.array([0.5, 1.0, 3.7, 250.0])
    step = 1e-5
    slope = [(math.lgamma(v + step) - math.lgamma(v - step)) / (2 * step) for v in x]
    assert _digamma(x) == pytest.approx(slope, abs=1e-7)


def test_frequent_words_become_pieces_and_needed_characters_stay() -> None:
    words = [(" school", 50), (" schools", 20), (" fool", 3), (" x", 1)]
    letters = sorted({letter for word, _ in words for letter in word})
    pieces = dict(learn(words, len(letters) + 3, letters))
    assert len(pieces) == len(letters) + 3
    assert set(letters) <= set(pieces)
    assert " school" in pieces
    assert list(pieces.values()) == sorted(pieces.values(), reverse=True)
    assert all(score < 0 for score in pieces.values())
