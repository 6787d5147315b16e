"""Huffman's tree: every word has its own way, and the mean way is as short as can be."""

import numpy as np
import pytest

from glassformer.nn.huffman import ways


def test_ways_are_those_worked_out_by_hand() -> None:
    # 1 + 2 = 3 (node 0), 3 + 4 = 7 (node 1), 5 + 7 (node 2, the root)
    found = ways(np.array([5, 1, 4, 2]))
    assert found.nodes.tolist() == [[2, 0, 0], [2, 1, 0], [2, 1, 0], [2, 1, 0]]
    assert found.turns.tolist() == [[1, 0, 0], [-1, 1, 1], [-1, -1, 0], [-1, 1, -1]]


@pytest.mark.parametrize("seed", range(5))
def test_every_word_has_its_own_way_and_frequent_words_the_shorter(seed: int) -> None:
    counts = np.random.default_rng(seed).integers(0, 50, 40)
    found = ways(counts)
    lengths = (found.turns != 0).sum(1)
    assert len({tuple(row) for row in found.turns.tolist()}) == 40
    assert sum(2.0 ** -int(length) for length in lengths) == 1  # a full tree
    order = np.argsort(-counts, kind="stable")
    differ = np.diff(counts[order]) < 0
    assert (np.diff(lengths[order])[differ] >= 0).all()
    assert found.nodes[found.turns != 0].max() == 38


def test_a_single_word_has_a_way_without_turns() -> None:
    assert ways(np.array([3])).turns.shape == (1, 0)
