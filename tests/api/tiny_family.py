"""Folders of a few kilobytes of the other kinds of model: untrained, but whole."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from glassformer.hub.folder import save
from glassformer.models import bert, gpt, vit
from glassformer.text.tokenizer import Tokenizer, TokenizerPair
from glassformer.text.train import TokenizerConfig, train

TEXTS = ["Once upon a time there was a cat.", "나는 학교에 간다", "티끌 모아 태산", "the cat sleeps"]


def tokenizer(frame: Any = "none") -> Tokenizer:
    """A vocabulary of some letters and pieces, byte by byte."""
    config = TokenizerConfig(name="byte_bpe", vocab_size=320, min_frequency=1)
    return train(config, TEXTS, frame=frame)


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights so large that no two words are equally likely."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4)
    return model


def write_gpt(folder: Path, *, seed: int = 0, max_length: int = 32, recipe: str | None = None) -> Path:
    """Write a language model; ``recipe`` is its recipe.yaml."""
    words = tokenizer()
    sizes = {"vocab_size": words.vocab_size, "max_length": max_length}
    numbers = {"pad_id": words.pad_id, "eos_id": words.eos_id, "start_id": words.bos_id}
    model = gpt.Model(gpt.Config(dim=16, depth=2, heads=2, **sizes, **numbers))
    save(folder, shaken(model, seed), TokenizerPair(words, words), recipe=recipe)
    return folder


def write_bert(folder: Path, head: Any = "masked_lm") -> Path:
    """Write an encoder that fills blanks."""
    words = tokenizer("both")
    sizes = {"vocab_size": words.vocab_size, "pad_id": words.pad_id, "max_length": 32}
    model = bert.Model(bert.Config(dim=16, depth=2, heads=2, mlp_dim=32, head=head, **sizes))
    save(folder, shaken(model), TokenizerPair(words, words))
    return folder


def write_vit(folder: Path, *, channels: int = 1, head: Any = "classifier", **told: Any) -> Path:
    """Write a model that tells three kinds of images apart; ``told`` is its preprocessor_config.json."""
    labels = ("cat", "dog", "고래")
    sizes = {"channels": channels, "image_size": 8, "classes": 3, "labels": labels}
    model = vit.Model(vit.Config(dim=16, depth=1, heads=2, mlp_dim=32, patch=4, head=head, **sizes))
    save(folder, shaken(model), None, preprocessor=told or None)
    return folder
