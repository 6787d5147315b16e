"""What skip-gram and CBOW share: their settings, the words of a batch and those around them, and counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Float32, Int, Num
from pydantic import Field
from torch import Tensor, nn

from glassformer.base.config import Settings
from glassformer.base.errors import UserError
from glassformer.data.example import Batch, Example, Features
from glassformer.nn.huffman import ways
from glassformer.objectives.objective import Loss
from glassformer.objectives.rows import running
from glassformer.objectives.sampled import Form, sampled_loss
from glassformer.objectives.tree import tree_loss
from glassformer.objectives.windows import CHUNK, Chunks, Sampler, bags, gathered, joined, readers
from glassformer.text.tokenizer import TokenizerPair


class WindowConfig(Settings):
    """A word's window has 1 to ``window`` words on either side, drawn anew each time, and ends with its text.

    ``sample`` is the frequency above which words are left out at times; 0 leaves none out. Of noise words,
    drawn by count to the ``power``, ``negative`` count for each word that is told; a model that tells words
    by ``nodes`` has none.
    """

    window: int = Field(5, ge=1, le=100)
    negative: int = Field(5, ge=1)
    sample: float = Field(1e-3, ge=0)
    power: float = Field(0.75, ge=0)


class Neighbours:
    """An objective over words and those around them; ``form`` and ``noise`` are what the two differ in.

    In training chance is drawn from the stream; else from the row itself, so that the same text always has
    the same windows and noise, whatever it is measured with.
    """

    needs: tuple[str, ...] = ("embeds",)
    reads = "text"
    frame = "none"
    answers = None
    fixed = True
    """Every word is read once an epoch: a word that came twice and another that did not would count."""
    shaping: tuple[str, ...] = ()
    form: Form
    skips: ClassVar[bool]
    noise: ClassVar[int]
    """How many noise words the words of a chunk share."""

    def __init__(self, config: Any, *, numbers: Any, tokenizers: TokenizerPair | None) -> None:
        self.config, self.numbers = config, numbers
        if tokenizers is None:
            raise UserError(f"{config.name} needs a tokenizer: it learns vectors of words")
        self.ordinary = np.ones(numbers.vocab_size, dtype=bool)
        self.ordinary[list(tokenizers.source.specials_ids())] = False

    def count(self, model: Any, counts: Num[np.ndarray, " vocab"] | None = None) -> None:
        """Makes sub-sampling, noise and tree of the counts of the training text.

        They are kept with the model; one that has its own, and None, asks for those. Raises UserError for a
        text of fewer than two words.
        """
        if counts is not None and not model.counts.any():
            model.counts.data.copy_(torch.from_numpy(counts))
        own = np.where(self.ordinary, model.counts.detach().cpu().numpy(), 0)
        if (own > 0).sum() < 2:
            raise UserError(
                f"{self.config.name} needs a text with two different words or more, and the tokenizer knows "
                f"{(own > 0).sum()} in this one; give more text or lower tokenizer.min_frequency"
            )
        config = self.config
        self.sampler = Sampler(
            own, self.ordinary, window=config.window, sample=config.sample, power=config.power
        )
        self.ways = ways(own.astype(np.int64)) if self.numbers.told_by == "nodes" else None

    def encode(self, examples: Sequence[Example], tokenizers: TokenizerPair) -> list[Features]:
        """The ids of each piece of a document, and the end behind its last piece."""
        return running(examples, tokenizers, self.numbers.eos_id)

    def collate(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:  # noqa: ARG002
        """Rows with windows and noise that depend on nothing but their tokens."""
        chunks, noise = [], []
        for row in features:
            tokens = row.arrays["tokens"].astype(np.int64)
            own = np.random.default_rng(crc32(tokens.tobytes()))
            chunks.append(self.sampler.chunks(tokens, self._documents([tokens]), own))
            noise.append(self.sampler.noise(len(chunks[-1].words), self.noise, own))
        return self._batch(joined(chunks), np.concatenate(noise))

    def collate_training(self, features: Sequence[Features], rng: np.random.Generator) -> Batch:
        """Rows with other windows and noise each time."""
        # The last token is the first of the next row, or the end of the text.
        rows = [row.arrays["tokens"][:-1] for row in features]
        chunks = self.sampler.chunks(np.concatenate(rows), self._documents(rows), rng)
        return self._batch(chunks, self.sampler.noise(len(chunks.words), self.noise, rng))

    def _documents(self, rows: list[np.ndarray]) -> Int[np.ndarray, " token"]:
        """The number of each token's document; a row goes on with no other."""
        ends = np.concatenate(rows) == self.numbers.eos_id
        ends[np.cumsum([len(row) for row in rows]) - 1] = True
        return np.cumsum(ends, dtype=np.int32) - ends

    def _batch(self, chunks: Chunks, noise: Int[np.ndarray, "chunk noise"]) -> Batch:
        count = int(chunks.seen.sum() if self.skips else np.count_nonzero(chunks.seen))
        made = self._turns if self.ways is not None else self._pairs if self.skips else self._bags
        return Batch({name: torch.from_numpy(array) for name, array in made(chunks, noise).items()}, count)

    def _turns(self, chunks: Chunks, noise: np.ndarray) -> dict[str, np.ndarray]:  # noqa: ARG002
        """What the tree reads: words, who sees whom, and the way to each word."""
        ways: Any = self.ways
        centre = self._centre(chunks)
        return {
            "pairs": chunks.pairs,
            "seen": chunks.seen,
            "words": chunks.words,
            "nodes": ways.nodes[centre],
            "turns": ways.turns[centre],
        }

    def _pairs(self, chunks: Chunks, noise: np.ndarray) -> dict[str, np.ndarray]:
        """What skip-gram reads: rows of words, of those around them and of noise, and who sees whom."""
        return {
            "pairs": chunks.pairs,
            "seen": chunks.seen,
            **self._rows("input", self._centre(chunks)),
            **self._rows("output", np.concatenate([chunks.words, noise], 1)),
            "weights": _pair_weights(noise, chunks) * self._each(),
        }

    def _bags(self, chunks: Chunks, noise: np.ndarray) -> dict[str, np.ndarray]:
        """What CBOW reads: those around each word as bags, words and noise, and who reads each row."""
        told = self._centre(chunks).reshape(-1)[chunks.spread].reshape(-1, CHUNK)
        seen = chunks.seen.reshape(-1)[chunks.spread].reshape(-1, CHUNK)
        others = (told[:, None, :] != noise[:, :, None]) & (seen > 0)[:, None, :]
        rows, places = gathered(np.concatenate([told.reshape(-1), noise.reshape(-1)]), len(self.ordinary))
        order, starts = readers(places, len(rows))
        return {
            **bags(chunks, len(self.ordinary)),
            "told": told,
            "noise": noise,
            "output_rows": rows,
            "output_readers": order,
            "output_starts": starts,
            "seen": seen,
            "weights": others * self._each(),
        }

    def _each(self) -> np.float32:
        """How many noise words each of those that a chunk shares stands for."""
        return np.float32(self.config.negative / self.noise)

    def _centre(self, chunks: Chunks) -> Int[np.ndarray, "chunk word"]:
        """The words of each chunk without those before and behind it."""
        window = self.config.window
        return chunks.words[:, window : window + CHUNK]

    def _rows(self, side: str, words: Int[np.ndarray, "chunk place"]) -> dict[str, np.ndarray]:
        rows, places = gathered(words, len(self.ordinary))
        return {f"{side}_rows": rows, f"{side}_places": places}

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The summed loss, in nats."""
        tables: Any = model
        inputs, outputs = tables.input.weight, tables.output.weight
        if self.ways is not None:
            whole = not self.skips and self.config.whole
            total = tree_loss(inputs, outputs, batch, skips=self.skips, whole=whole)
        else:
            total = sampled_loss(self.form, inputs, outputs, batch)
        return Loss(total, {"nll": total.detach()})

    def predict(self, model: nn.Module, batch: Batch) -> Tensor:
        """The vectors of the words in a batch."""
        tables: Any = model
        found: Tensor = tables.hidden(batch)
        return found


def _pair_weights(
    noise: Int[np.ndarray, "chunk noise"], chunks: Chunks
) -> Float32[np.ndarray, "chunk word noise"]:
    """For each word and noise word how many of those around the word are other words than that."""
    chunk, at, which = np.nonzero(chunks.words[:, :, None] == noise[:, None, :])
    pairs = chunks.pairs
    weights: Any = np.repeat(chunks.seen.astype(np.float32)[:, :, None], noise.shape[1], axis=2)
    # What stands at a place is around the words from 2 · window before, counted in the chunk, to there.
    back = np.arange(pairs.shape[2])
    word = at[:, None] - back
    inside = (word >= 0) & (word < CHUNK)
    hit, offset = np.nonzero(inside & pairs[chunk[:, None], np.where(inside, word, 0), back])
    np.subtract.at(weights, (chunk[hit], word[hit, offset], which[hit]), 1)
    return weights
