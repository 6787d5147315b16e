"""Tokenizers learned once per session; and the samples beside this file can be imported."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glassformer.text.fast import FastTokenizer
from glassformer.text.train import TokenizerConfig, train

sys.path.insert(0, str(Path(__file__).parent))

from text_samples import SENTENCES


@pytest.fixture(scope="session")
def learned() -> Callable[..., FastTokenizer]:
    """learned(kind, **settings): a tokenizer of that kind, the same object each time."""

    @cache
    def make(kind: str, **settings: Any) -> FastTokenizer:
        size = settings.pop("vocab_size", 1000)
        return train(TokenizerConfig(name=kind, vocab_size=size, **settings), SENTENCES * 2)

    return make
