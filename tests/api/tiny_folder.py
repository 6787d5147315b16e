"""A model folder of a few kilobytes: untrained, but whole, with a vocabulary of Korean and English."""

from pathlib import Path
from typing import Any

import torch

from glassformer.hub.folder import save
from glassformer.models.transformer import Config, Model
from glassformer.text.train import TokenizerConfig, train_pair

PAIRS = [
    ("나는 학교에 간다", "I go to school"),
    ("너는 집에 온다", "You come home"),
    ("우리는 밥을 먹는다", "We eat rice"),
    ("그는 책을 읽는다", "He reads a book"),
]


def write_model(folder: Path, seed: int = 0, **generation: Any) -> Path:
    """Write the folder; two of one seed are the same model."""
    tokenizers = train_pair(TokenizerConfig(name="byte_bpe", vocab_size=300, min_frequency=1), PAIRS)
    size = tokenizers.source.vocab_size
    torch.manual_seed(seed)
    config = Config(
        dim=8, depth=2, heads=2, mlp_dim=16, max_length=32, vocab_size=size, target_vocab_size=size
    )
    save(folder, Model(config), tokenizers, generation={"num_beams": 2} | generation)
    return folder
