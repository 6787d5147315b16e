"""The stacks that are trained and that write: their sizes, one folder of weights each, and their batches."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.work import SEED
from glassformer.base import plugins
from glassformer.data import documents
from glassformer.data.example import Batch, Example, Features
from glassformer.hub import folder as hub
from glassformer.objectives import causal_lm, image, masked_lm
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train_pair

TEXT = "generated:python-docs"
CERTAIN = 8.0
"""What the scores of an untrained model that writes are multiplied by.

Its choices are then as clear as a trained model's, and no rounding decides between two of them.
"""

# Presets of the models that train on a laptop; dropout as the recipes have it, BERT's as its paper.
SIZES: dict[str, dict[str, Any]] = {
    "gpt": {"dim": 192, "depth": 6, "heads": 6, "max_length": 256, "dropout": 0.0, "attention_dropout": 0.0},
    "llama": {
        "dim": 256, "depth": 6, "heads": 8, "kv_heads": 4, "mlp_dim": 688, "tied": True, "max_length": 256,
    },
    "bert": {
        "dim": 256, "depth": 4, "heads": 4, "mlp_dim": 1024, "max_length": 256,
        "dropout": 0.1, "attention_dropout": 0.1,
    },
    "vit": {
        "dim": 128, "depth": 6, "heads": 4, "mlp_dim": 512, "patch": 4, "image_size": 28, "channels": 1,
        "classes": 10,
    },
}  # fmt: skip
TINY: dict[str, Any] = {"dim": 32, "depth": 1, "heads": 2, "mlp_dim": 64}


@dataclass(frozen=True)
class Amount:
    """How much is trained on: vocabulary, rows a batch, tokens a row, batches."""

    vocab_size: int = 4096
    rows: int = 16
    images: int = 64
    block: int = 128
    batches: int = 8


@dataclass(frozen=True)
class Setting:
    """A job: which kind of model, in what its size differs from ``SIZES``, and how much is trained on.

    ``rounds``: steps to warm up, steps a turn, and turns.
    """

    kind: str
    size: dict[str, Any] = field(default_factory=dict)
    amount: Amount = Amount()
    rounds: tuple[int, int, int] = (3, 4, 5)


# nanogpt: the sizes that nanoGPT's own page gives for a CPU, a vocabulary of characters.
SETTINGS: dict[str, Setting] = {
    "gpt": Setting("gpt"),
    "gpt-384": Setting("gpt", {"dim": 384}, Amount(rows=16, block=256, batches=4), (1, 1, 5)),
    "nanogpt": Setting(
        "gpt",
        {"dim": 128, "depth": 4, "heads": 4, "max_length": 64},
        Amount(vocab_size=320, rows=12, block=64, batches=16),
        (4, 8, 7),
    ),
    "llama": Setting("llama"),
    "bert": Setting("bert"),
    "vit": Setting("vit"),
    "vit-tiny": Setting("vit", {"dim": 192, "heads": 3, "mlp_dim": 768, "image_size": 32, "channels": 3}),
}
LITTLE = Amount(vocab_size=300, rows=2, images=4, block=16, batches=2)


@dataclass(frozen=True)
class Task:
    """Everything two systems must have in common; ``folder`` holds the weights.

    ``unit`` is what is counted, tokens or images, of which each batch has ``units``.
    """

    kind: str
    folder: Path
    objective: Any
    batches: list[Batch]
    unit: str
    units: int

    def described(self) -> dict[str, Any]:
        """What the results say about the work."""
        sizes = {key: value for key, value in _sizes(self.folder).items() if key in SIZES[self.kind]}
        return {"size": sizes, "unit": self.unit, "units_a_batch": self.units, "batches": len(self.batches)}


def make(job: str, folder: Path, *, quick: bool) -> Task:
    """New weights in ``folder`` and batches of real text, or of images of noise."""
    setting = SETTINGS[job]
    if quick:
        setting = replace(setting, amount=LITTLE)
    sizes = SIZES[setting.kind] | setting.size | (TINY if quick else {})
    return (_seeing if setting.kind == "vit" else _reading)(setting, sizes, folder)


def writer(kind: str, folder: Path, *, quick: bool) -> Any:
    """New weights of a model that writes in ``folder``; gives the model's configuration."""
    sizes = SIZES[kind] | (TINY if quick else {})
    config = _config(kind, sizes, vocab_size=LITTLE.vocab_size if quick else Amount().vocab_size)
    model = _model(config)
    with torch.no_grad():
        model.norm.weight *= CERTAIN
    hub.save(folder, model, None)
    return config


def _reading(setting: Setting, sizes: dict[str, Any], folder: Path) -> Task:
    kind, amount = setting.kind, setting.amount
    frame = "both" if kind == "bert" else "none"
    texts = list(documents.read(TEXT))
    settings = TokenizerConfig(name="byte_bpe", vocab_size=amount.vocab_size)
    tokenizers = train_pair(settings, [(text.fields["text"],) for text in texts], frame)
    config = _config(kind, sizes, vocab_size=tokenizers.source.vocab_size)
    hub.save(folder, _model(config), None)
    module: Any = masked_lm if kind == "bert" else causal_lm
    objective = module.Objective(module.Config(), numbers=config, tokenizers=tokenizers)
    rows = _blocks(objective, texts, tokenizers, amount)
    chance = np.random.default_rng(SEED)
    batches = [objective.collate(rows[at :: amount.batches], chance) for at in range(amount.batches)]
    return Task(kind, folder, objective, batches, "tokens", batches[0]["tokens"].numel())


def _blocks(
    objective: Any, texts: list[Example], tokenizers: TokenizerPair, amount: Amount
) -> list[Features]:
    """Running text in rows of one token more than a block, as the store cuts it."""
    pieces = objective.encode(texts, tokenizers)
    line = np.fromiter(chain.from_iterable(one.arrays["tokens"] for one in pieces), dtype=np.int32)
    count, width = amount.rows * amount.batches, amount.block + 1
    return [Features({"tokens": row}) for row in line[: count * width].reshape(count, width)]


def _seeing(setting: Setting, sizes: dict[str, Any], folder: Path) -> Task:
    config, amount = _config("vit", sizes), setting.amount
    pixels = config.channels * math.prod(config.size)
    hub.save(folder, _model(config), None)
    objective = image.Objective(image.Config(), numbers=config)
    chance = np.random.default_rng(SEED)
    batches = []
    for _ in range(amount.batches):
        labels = chance.integers(config.classes, size=amount.images)
        # Noise whose brightness tells the class, so that there is something to learn.
        pictures = chance.integers(128, size=(amount.images, pixels)) + 12 * labels[:, None]
        rows = [
            Features({"image": picture.astype(np.uint8), "label": np.array([label], dtype=np.int32)})
            for picture, label in zip(pictures, labels, strict=True)
        ]
        batches.append(objective.collate(rows, chance))
    return Task("vit", folder, objective, batches, "images", amount.images)


def _config(kind: str, sizes: dict[str, Any], **others: Any) -> Any:
    shared = {"kv_heads": 1} if "kv_heads" in sizes and sizes["heads"] < SIZES[kind]["heads"] else {}
    return plugins.find("models", kind).Config(**sizes | shared | others)


def _model(config: Any) -> Any:
    torch.manual_seed(SEED)
    return plugins.find("models", config.name).Model(config)


def _sizes(folder: Path) -> dict[str, Any]:
    sizes: dict[str, Any] = hub.load(folder).config.model_dump()
    return sizes
