"""Padding: rows of different lengths become one rectangle, and a mask that says which cells are real."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor


def _filled(arrays: Sequence[np.ndarray], multiple: int) -> np.ndarray:
    """True where a row has a token: ``rows x longest``, the width rounded up to ``multiple``."""
    if not arrays:
        raise ValueError("a batch needs at least one row")
    lengths = np.fromiter((len(array) for array in arrays), dtype=np.int64, count=len(arrays))
    width = -(-int(lengths.max()) // multiple) * multiple
    filled: np.ndarray = np.arange(width) < lengths[:, None]
    return filled


def pad(arrays: Sequence[np.ndarray], value: int, multiple: int = 1) -> Int[Tensor, "rows width"]:
    """The rows side by side as int64, short ones filled up on the right with ``value``.

    The width is that of the longest row, rounded up to a multiple of ``multiple``.

    >>> pad([np.array([7, 8, 9]), np.array([5])], value=0)
    tensor([[7, 8, 9],
            [5, 0, 0]])
    """
    filled = _filled(arrays, multiple)
    table = np.full(filled.shape, value, dtype=np.int64)
    table[filled] = np.concatenate(arrays)
    return torch.from_numpy(table)


def keep(arrays: Sequence[np.ndarray], multiple: int = 1) -> Bool[Tensor, "rows width"]:
    """The mask that belongs to ``pad``: True on real tokens ("may look"), False on padding.

    >>> keep([np.array([7, 8, 9]), np.array([5])])
    tensor([[ True,  True,  True],
            [ True, False, False]])
    """
    return torch.from_numpy(_filled(arrays, multiple))
