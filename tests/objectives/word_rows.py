"""What the tests of word objectives share: small models in float64, their objectives, and a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassformer.models import word2vec
from glassformer.objectives import cbow, skip_gram
from glassformer.text.train import TokenizerConfig, train_pair

VOCAB, SPECIAL, END, DIM = 14, 4, 2, 5
TOKENIZERS = train_pair(
    TokenizerConfig(name="word", vocab_size=50, min_frequency=1), [("가 나 다 라 마 바 사 아 자",)], "none"
)
COUNTS = np.array([0, 3, 9, 0, 40, 30, 20, 10, 9, 8, 7, 1, 1, 0])
MODULES: dict[str, Any] = {"skip_gram": skip_gram, "cbow": cbow}


def made(name: str, told_by: str = "words", **settings: Any) -> tuple[Any, Any]:
    """A model in float64 with weights that matter, and its objective."""
    module = MODULES[name]
    config = word2vec.Config(dim=DIM, vocab_size=VOCAB, told_by=told_by)
    model = word2vec.Model(config).double()
    objective = module.Objective(module.Config(**settings), numbers=config, tokenizers=TOKENIZERS)
    objective.count(model, COUNTS)
    for weight in (model.input.weight, model.output.weight):
        torch.nn.init.normal_(weight, std=0.7)
    return model, objective


def text(size: int) -> list[int]:
    drawn = np.random.default_rng(3).integers(SPECIAL, VOCAB - 1, size)
    drawn[[size // 3, size // 2]] = END
    return [int(token) for token in drawn]


def log_sigmoid(x: Tensor) -> Tensor:
    return torch.nn.functional.logsigmoid(x)
