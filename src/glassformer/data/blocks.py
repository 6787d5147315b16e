"""Running text in rows of equal length: blocks of a store whose documents stand end to end."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Integer

from glassformer.data.example import Features
from glassformer.data.store import Store


class Blocks:
    """Rows of one token array; a row has ``block`` tokens to read and as many to predict.

    In order (``cropped`` false) the rows overlap by a token, so that every token but the first of all is
    predicted exactly once; the last row may be shorter::

        block 3      a b c d e f g h
        row 0        a b c d
        row 1              d e f g
        row 2                    g h

    Cropped rows are twice as long and begin a block apart; ``crop`` takes ``block`` + 1 tokens at a random
    place out of each, so that an epoch begins anywhere in the text, equally often::

        row 0        a b c d e f
        row 1              d e f g h …

    Nothing is held in memory: rows are read from the store when they are asked for, and ``lengths`` is one
    number seen many times.
    """

    def __init__(self, store: Store, block: int, *, cropped: bool) -> None:
        if block < 1:
            raise ValueError("a block has at least one token")
        self.store, self.block, self.cropped = store, block, cropped
        self._joined = store.joined("tokens")

    def __len__(self) -> int:
        count = len(self._joined)
        if count < 2:
            return 0
        # Of cropped rows the last is as long as the others: it reaches back.
        return (
            max(1, -(-(count - self.block) // self.block)) if self.cropped else -(-(count - 1) // self.block)
        )

    @property
    def lengths(self) -> Integer[np.ndarray, " rows"]:
        """What a row costs in a batch, in tokens: ``block``, a single number behind every place."""
        return np.broadcast_to(np.int64(self.block), (len(self),))

    def fixed(self) -> Blocks:
        """The same text in order: for training that reads every token once an epoch."""
        return Blocks(self.store, self.block, cropped=False)

    @property
    def folder(self) -> Path:
        """Where the store is."""
        return self.store.folder

    @property
    def fingerprint(self) -> str:
        """A sha256 that is equal when all rows are."""
        said = f"{self.store.fingerprint} {self.block} {self.cropped}"
        return hashlib.sha256(said.encode()).hexdigest()

    def counts(self, name: str, vocab_size: int) -> np.ndarray:
        """How often each token number occurs in the text, as ``Store.counts``."""
        return self.store.counts(name, vocab_size)

    def tokens(self, name: str) -> int:
        """How many tokens the text has."""
        return self.store.tokens(name)

    def __getitem__(self, row: int) -> Features:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)} blocks")
        width = 2 * self.block if self.cropped else self.block + 1
        start = row * self.block
        if self.cropped:
            start = max(0, min(start, len(self._joined) - width))
        return Features({"tokens": self._joined[start : start + width].astype(np.int64)})


def crop(tokens: Integer[np.ndarray, " width"], rng: np.random.Generator) -> Integer[np.ndarray, " block_1"]:
    """``block`` + 1 tokens at a random place of a cropped row, which has 2 ``block``.

    A text shorter than a row gives a block of half of it.

    >>> crop(np.array([5, 6, 7, 8, 9, 10]), np.random.default_rng(0)).shape
    (4,)
    """
    block = max(1, len(tokens) // 2)
    start = int(rng.integers(max(1, len(tokens) - block)))
    return tokens[start : start + block + 1]
