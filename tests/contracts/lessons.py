"""Runs of a second for objectives of running text: what is taught, and whether it is known after."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glassformer.base import plugins
from glassformer.data.example import Batch, Example
from glassformer.hub import folder as hub

# Every word once, so that each is told by the one before it.
CHAIN = [first + second for first, second in product("가나다라마바사아자차", "거너더러머버서어저처")]
# One word a line, so that a hidden one is told by those that are left.
LINES = [" ".join([word] * 9) for word in ("봄", "여름", "가을", "겨울", "물", "fire", "흙", "바람", "snow")]

_TEXT = """\
# A page of text, learned by heart in a second.
model:      {{name: {model}, dim: 32, depth: 1, heads: 4, mlp_dim: 64, dropout: 0.0, attention_dropout: 0.0,
             max_length: 32}}
tokenizer:  {{name: word, vocab_size: 200, min_frequency: 1}}
objective:  {{name: {objective}}}
data:       {{name: text, train: text.txt, valid: text.txt, documents: {documents}, block: 10, batch_size: 8,
             workers: 0}}
optim:      {{lr: {lr}}}
schedule:   {{warmup: 10}}
train:      {{steps: {steps}, evaluate_every: 0, save_every: 0, keep_last: 0, precision: float32, seed: 1}}
evaluation: {{sentences: 0}}
"""


def _write(folder: Path, text: str, **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(text, "utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(_TEXT.format(**settings), "utf-8")
    return recipe


def write_chain(folder: Path) -> Path:
    """A hundred words, for a model that foretells the next."""
    settings = {"model": "gpt", "objective": "causal_lm", "documents": "file", "lr": 0.02, "steps": 100}
    return _write(folder, " ".join(CHAIN), **settings)


def write_lines(folder: Path) -> Path:
    """Nine lines, for a model that tells hidden words."""
    settings = {"model": "bert", "objective": "masked_lm", "documents": "line", "lr": 0.01, "steps": 300}
    return _write(folder, "\n".join(LINES), **settings)


def _answers(folder: Path, texts: list[str]) -> tuple[torch.Tensor, Batch]:
    """What the folder's model answers for each text with its objective, and what it was asked."""
    loaded = hub.load(folder)
    assert loaded.tokenizers is not None
    name = "causal_lm" if "generates" in loaded.model.abilities else "masked_lm"
    module = plugins.find("objectives", name)
    objective = module.Objective(module.Config(), numbers=loaded.config, tokenizers=loaded.tokenizers)
    pieces = [Example({"text": text, "first": True, "last": True}, "x:1") for text in texts]
    batch = objective.collate(objective.encode(pieces, loaded.tokenizers), np.random.default_rng(0))
    with torch.no_grad():
        return objective.predict(loaded.model.eval(), batch), batch


def knows_the_chain(folder: Path) -> bool:
    """Whether each word calls the next."""
    answers, batch = _answers(folder, [" ".join(CHAIN[at : at + 10]) for at in range(0, 90, 10)])
    inside = slice(0, -1)  # only the page has an end
    return _known(answers[:, inside], batch["labels"][:, inside])


def knows_the_lines(folder: Path) -> bool:
    """Whether a hidden word is told by its line."""
    answers, batch = _answers(folder, LINES)
    hidden = batch["labels"] != -100
    return _known(answers[hidden], batch["labels"][hidden])


def _known(answers: torch.Tensor, labels: torch.Tensor) -> bool:
    """Whether nine of ten are right, where chance has one of nine at best."""
    return bool((answers == labels).float().mean() > 0.9)
