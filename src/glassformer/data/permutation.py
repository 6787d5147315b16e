"""A shuffle that is computed instead of stored: where does item i stand, for any number of items."""

from __future__ import annotations

import numpy as np

ROUNDS = 6
_WORD = (1 << 64) - 1


def _mix(x: np.ndarray) -> np.ndarray:
    """Spread each bit of a word over all 64: the finaliser of SplitMix64 (Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed


def derive(*numbers: int) -> int:
    """One 64-bit key from several integers; a different key for a different sequence of them."""
    key = np.zeros(1, dtype=np.uint64)
    for number in (len(numbers), *numbers):
        key = _mix(key + np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(number & _WORD)
    return int(_mix(key + np.uint64(0x9E3779B97F4A7C15))[0])


def permute(places: np.ndarray, size: int, key: int) -> np.ndarray:
    """Where the items ``places`` (``0 … size - 1``) stand in the shuffle of ``size`` items named ``key``.

    A Feistel network over the smallest even number of bits that holds ``size``; a result outside the range
    is put through again until it falls inside (cycle walking; Black and Rogaway 2002), which keeps it a
    bijection. On average at most four passes are needed, and no memory beyond ``places``.
    """
    if size < 1:
        raise ValueError("there must be at least one item to shuffle")
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    keys = [derive(key, turn) for turn in range(ROUNDS)]
    result = _feistel(places.astype(np.uint64), half, keys)
    outside = np.flatnonzero(result >= size)
    while len(outside):
        result[outside] = _feistel(result[outside], half, keys)
        outside = outside[result[outside] >= size]
    return result.astype(np.int64)


def _feistel(x: np.ndarray, half: int, keys: list[int]) -> np.ndarray:
    mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = x >> shift, x & mask
    for key in keys:
        left, right = right, left ^ (_mix(right + np.uint64(key)) & mask)
    return (left << shift) | right
