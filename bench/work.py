"""The work that every system is given: real sentences, one vocabulary, one set of padded batches, weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glassformer.base.errors import UserError
from glassformer.data import samples
from glassformer.data.example import Batch, Example, Features
from glassformer.data.pairs import Config as DataConfig
from glassformer.data.pairs import texts as pairs_of
from glassformer.hub import folder as hub
from glassformer.models import transformer
from glassformer.objectives import translation
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

CORPORA = ("koen-tatoeba/train.ko-en.tsv", "koen-dialogue/turns.ko-en.tsv")
SMOOTHING = 0.1
CLIP = 1.0
LR = 3e-4
BETAS = (0.9, 0.98)
EPS = 1e-9
SEED = 1


@dataclass(frozen=True)
class Size:
    """One model and how much of it is measured; ``name`` is what the tables say."""

    name: str
    model: dict[str, Any] = field(default_factory=dict)
    vocab_size: int = 8000
    target_tokens: int = 2048
    dropout: float = 0.1
    max_length: int = 256
    pairs: int = 20_000


@dataclass(frozen=True)
class Work:
    """Everything two systems must have in common; ``folder`` holds the weights and the vocabulary."""

    size: Size
    folder: Path
    batches: list[Batch]
    sentences: list[str]
    corpus: str
    tokenizers: TokenizerPair

    def described(self) -> dict[str, Any]:
        """What the results say about the data."""
        counts = [batch.count for batch in self.batches]
        cells = sum(batch["target"].numel() for batch in self.batches)
        sources = sum(int(batch["source_keep"].sum()) for batch in self.batches)
        return {
            "corpus": self.corpus,
            "vocabulary": self.tokenizers.source.vocab_size,
            "batches": len(counts),
            "target_tokens_a_batch": float(np.mean(counts)),
            "source_tokens_a_batch": sources / len(counts),
            "sentences_a_batch": float(np.mean([len(batch["target"]) for batch in self.batches])),
            "target_cells_filled": sum(counts) / cells,
        }


def make(size: Size, folder: Path, batches: int) -> Work:
    """Reads text, learns the vocabulary, cuts ``batches`` batches and writes new weights to ``folder``."""
    corpus, pairs = _pairs(size.pairs)
    tokenizers = train_pair(TokenizerConfig(name="bpe", vocab_size=size.vocab_size, shared=True), pairs)
    model = _model(size, tokenizers)
    hub.save(folder, model, tokenizers)
    objective = objective_for(model.config)
    examples = [Example({"source": a, "target": b}, "") for a, b in pairs]
    room = size.max_length - 1
    features = [one for one in objective.encode(examples, tokenizers) if one.size <= room]
    made = [objective.collate(rows, np.random.default_rng(0)) for rows in _cut(features, size, batches)]
    return Work(size, folder, made, [a for a, _ in pairs[:: max(1, len(pairs) // 1024)]], corpus, tokenizers)


def objective_for(config: Any) -> translation.Objective:
    """The objective all systems learn by."""
    return translation.Objective(
        translation.Config(label_smoothing=SMOOTHING), numbers=config, tokenizers=None
    )


def _pairs(most: int) -> tuple[str, list[tuple[str, str]]]:
    """Korean and English sentences: people's where they are at hand, else those of our own grammar."""
    root = os.environ.get("GLASSFORMER_DATA", "")
    paths = [str(path) for name in CORPORA if root and (path := Path(root) / name).is_file()]
    if paths:
        config = DataConfig(train=tuple(paths), source="ko", target="en")
        found = list(pairs_of(config, "train"))
        np.random.default_rng(SEED).shuffle(found)
        return " + ".join(name for name in CORPORA if (Path(root) / name).is_file()), [
            (a, b) for a, b in found[:most]
        ]
    made = islice(samples.generate(), most)
    return "glassformer.data.samples", [(pair.source, pair.target) for pair in made]


def _model(size: Size, tokenizers: TokenizerPair) -> transformer.Model:
    target = tokenizers.target
    config = transformer.Config(
        **size.model,
        dropout=size.dropout,
        vocab_size=size.vocab_size,
        target_vocab_size=size.vocab_size,
        max_length=size.max_length,
        pad_id=target.pad_id,
        eos_id=target.eos_id,
        start_id=target.bos_id,
    )
    torch.manual_seed(SEED)
    return transformer.Model(config)


def _cut(features: list[Features], size: Size, batches: int) -> Iterator[list[Features]]:
    """Sentences of like length together, about ``target_tokens`` of target a batch; in random order."""
    ordered = sorted(features, key=lambda one: (one.size, len(one.arrays["target"])))
    made: list[list[Features]] = [[]]
    held = 0
    for one in ordered:
        length = len(one.arrays["target"])
        if held and held + length / 2 > size.target_tokens:
            made.append([])
            held = 0
        made[-1].append(one)
        held += length
    made.pop()  # the longest sentences, too few for a whole batch
    if len(made) < batches:
        raise UserError(f"the text gives {len(made)} batches of {size.target_tokens} tokens, not {batches}")
    chosen = np.random.default_rng(SEED).permutation(len(made))[:batches]
    yield from (made[index] for index in chosen)
