"""Which tokens of a text are foretold, and what stands in their place; only numpy is known here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from glassformer.base.errors import UserError
from glassformer.nn.cross_entropy import IGNORED
from glassformer.text.tokenizer import Tokenizer

HIDDEN, SWAPPED = 0.8, 0.1


@dataclass(frozen=True)
class Chooser:
    """Chooses ``share`` of the ordinary tokens by whole words and hides them (Devlin et al. 2019, §3.1).

    ``goes_on``: for each id whether its piece goes on a word; ``ordinary``: whether it stands for text.
    """

    mask_id: int
    share: float
    goes_on: Bool[np.ndarray, " vocab"]
    ordinary: Bool[np.ndarray, " vocab"]

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, share: float, whole_words: bool) -> Chooser:
        """The chooser for a tokenizer; UserError when it has no mask."""
        if tokenizer.mask_id is None:
            raise UserError("the tokenizer has no mask, such as <mask> or [MASK], to hide words with")
        ordinary = np.ones(tokenizer.vocab_size, dtype=bool)
        ordinary[list(tokenizer.specials_ids())] = False
        goes_on = tokenizer.continues() if whole_words else np.zeros_like(ordinary)
        return cls(tokenizer.mask_id, share, goes_on, ordinary)

    def __call__(
        self, tokens: Int[np.ndarray, " token"], rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " token"], Int[np.ndarray, " token"]]:
        """The tokens as the model reads them, and labels: the chosen tokens, -100 elsewhere."""
        chosen = self.places(tokens, rng)
        read, labels = tokens.copy(), np.full_like(tokens, IGNORED)
        labels[chosen] = tokens[chosen]
        turn = rng.random(len(chosen))
        read[chosen[turn < HIDDEN]] = self.mask_id
        swapped = chosen[(turn >= HIDDEN) & (turn < HIDDEN + SWAPPED)]
        read[swapped] = rng.choice(np.flatnonzero(self.ordinary), len(swapped))
        return read, labels

    def places(
        self, tokens: Int[np.ndarray, " token"], rng: np.random.Generator
    ) -> Int[np.ndarray, " chosen"]:
        """Where the chosen tokens stand: whole words in random order, until the share is reached.

        Whether the last word, which would pass it, is taken too is left to chance, so that on average the
        share is met exactly; the first is always taken.
        """
        places = np.flatnonzero(self.ordinary[tokens])
        if not len(places):
            return places
        word = np.cumsum(self._begins(tokens, places)) - 1
        sizes = np.bincount(word)
        order = rng.permutation(len(sizes))
        ends = np.cumsum(sizes[order])
        wanted = self.share * len(places)
        count = int(np.searchsorted(ends, wanted, side="right"))
        left = wanted - (ends[count - 1] if count else 0)
        if count < len(order) and (rng.random() < left / sizes[order[count]] or not count):
            count += 1
        taken = np.zeros(len(sizes), dtype=bool)
        taken[order[:count]] = True
        return places[taken[word]]

    def _begins(
        self, tokens: Int[np.ndarray, " token"], places: Int[np.ndarray, " place"]
    ) -> Bool[np.ndarray, " place"]:
        begins = ~self.goes_on[tokens[places]]
        begins[1:] |= np.diff(places) != 1  # behind a special token
        begins[0] = True
        return begins


def word_starts(
    tokens: Int[np.ndarray, " token"], goes_on: Bool[np.ndarray, " vocab"]
) -> Int[np.ndarray, " start"]:
    """Where words begin; the first token always does."""
    begins = ~goes_on[tokens]
    begins[:1] = True
    return np.flatnonzero(begins)
