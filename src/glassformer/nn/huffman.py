"""Huffman's tree over a vocabulary: the way from its root to every word, short for frequent ones."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Ways:
    """Row ``w`` is the way to word ``w``: the inner nodes it passes, and where it turns there.

    ``turns`` is +1 where the way goes on to the left, −1 to the right and 0 behind its end, where ``nodes``
    is 0 and means nothing. A tree of V words has V − 1 inner nodes; the root is the last.
    """

    nodes: Int[np.ndarray, "vocab longest"]
    turns: Int[np.ndarray, "vocab longest"]


def ways(counts: Int[np.ndarray, " vocab"]) -> Ways:
    """The ways in the tree that makes the mean way shortest (Huffman 1952).

    Of equally frequent nodes the one with the smaller number comes first, so that a tree is a function of its
    counts. A vocabulary of one word has no tree: its way has no turn.
    """
    size = len(counts)
    parents, sides = np.zeros(2 * size - 1, dtype=np.int64), np.zeros(2 * size - 1, dtype=np.int64)
    waiting = [(int(count), word) for word, count in enumerate(counts)]
    heapq.heapify(waiting)
    for node in range(size, 2 * size - 1):
        (few, left), (more, right) = heapq.heappop(waiting), heapq.heappop(waiting)
        parents[[left, right]], sides[left], sides[right] = node, 1, -1
        heapq.heappush(waiting, (few + more, node))
    return _down(parents, sides, size)


def _down(parents: Int[np.ndarray, " node"], sides: Int[np.ndarray, " node"], size: int) -> Ways:
    """All ways at once, climbed from the words to the root and then turned round."""
    at, root = np.arange(size), 2 * size - 2
    nodes, turns = [], []
    while (below := at != root).any():
        nodes.append(np.where(below, parents[at] - size, -1))
        turns.append(np.where(below, sides[at], 0))
        at = np.where(below, parents[at], root)
    shape = (size, len(nodes))
    up = np.array(nodes, dtype=np.int64).T.reshape(shape), np.array(turns, dtype=np.int64).T.reshape(shape)
    lengths = (up[1] != 0).sum(1, keepdims=True)
    steps = np.arange(len(nodes))
    inside = steps < lengths
    order = np.where(inside, lengths - 1 - steps, 0)
    down = [np.where(inside, np.take_along_axis(one, order, axis=1), 0) for one in up]
    return Ways(*down)
