"""Beam search gives the tokens that Hugging Face's ``generate`` gives for the same weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.decode.search import search
from glassformer.decode.settings import Decoding

transformers = pytest.importorskip("transformers")

LIMIT = 9
SOURCES = [[5, 6, 7, 8, 2], [9, 10, 2], [11, 12, 13, 14, 15, 16, 2], [2]]


class Marian:
    """A Marian model as a State: the whole prefix goes through the decoder at every step."""

    def __init__(self, model: Any, source: Tensor, keep: Tensor) -> None:
        self.model, self.keep = model, keep
        self.memory = model.model.encoder(input_ids=source, attention_mask=keep).last_hidden_state
        self.prefix = torch.empty(len(source), 0, dtype=torch.long)

    def step(self, tokens: Tensor) -> Tensor:
        self.prefix = torch.cat((self.prefix, tokens.unsqueeze(1)), dim=1)
        hidden = self.model.model.decoder(
            input_ids=self.prefix, encoder_hidden_states=self.memory, encoder_attention_mask=self.keep
        ).last_hidden_state[:, -1]
        return self.model.lm_head(hidden) + self.model.final_logits_bias[0]

    def select(self, rows: Tensor) -> None:
        self.keep, self.memory, self.prefix = self.keep[rows], self.memory[rows], self.prefix[rows]


@contextmanager
def _quiet() -> Iterator[None]:
    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    yield
    transformers.logging.set_verbosity(level)


@pytest.fixture(scope="module", params=[0, 1, 2])
def marian(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(request.param)
    config = transformers.MarianConfig(
        vocab_size=30, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=32,
        pad_token_id=0, eos_token_id=2, bos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None,
        init_std=0.6,
    )  # fmt: skip
    model = transformers.MarianMTModel(config).eval()
    # Without a push the end token hardly ever comes and every search would only run into its limit.
    model.final_logits_bias[0, 2] = (5.0, 5.0, 6.0)[request.param]
    return model


def _batch() -> tuple[Tensor, Tensor]:
    longest = max(map(len, SOURCES))
    source = torch.tensor([row + [0] * (longest - len(row)) for row in SOURCES])
    return source, (torch.arange(longest) < torch.tensor([[len(row)] for row in SOURCES])).long()


def _theirs(model: Any, settings: Decoding) -> list[list[int]]:
    source, keep = _batch()
    config = transformers.GenerationConfig(
        num_beams=settings.num_beams, num_return_sequences=settings.num_return_sequences,
        length_penalty=settings.length_penalty, early_stopping=settings.early_stopping, max_new_tokens=LIMIT,
        min_new_tokens=settings.min_new_tokens or None, no_repeat_ngram_size=settings.no_repeat_ngram_size,
        suppress_tokens=list(settings.suppress_tokens), repetition_penalty=settings.repetition_penalty,
        do_sample=False, pad_token_id=0, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    with _quiet(), torch.no_grad():
        found = model.generate(source, attention_mask=keep, generation_config=config)
    # With pad_token_id 0 they fill up with the end token, so everything after its first is padding.
    return [row[: row.index(2) + 1] if 2 in row else row for row in found[:, 1:].tolist()]


def _ours(model: Any, settings: Decoding) -> list[list[int]]:
    source, keep = _batch()
    with torch.no_grad():
        state = Marian(model, source, keep)
        lists = search(state, len(SOURCES), bos_id=1, eos_id=2, pad_id=0, settings=settings, max_length=LIMIT)
    return [list(one.tokens) for row in lists for one in row]


def _settings(**changes: Any) -> Decoding:
    return Decoding(length_penalty_form="power", suppress_tokens=(0, 1), **changes)


@pytest.mark.parametrize("num_beams", [1, 2, 4, 5])
def test_every_length_penalty_and_stopping_rule_gives_their_tokens(marian: Any, num_beams: int) -> None:
    for penalty, stopping in itertools.product((0.0, 0.6, 1.0, 2.0, -1.0), (False, True, "never")):
        settings = _settings(num_beams=num_beams, length_penalty=penalty, early_stopping=stopping)
        assert _ours(marian, settings) == _theirs(marian, settings), (penalty, stopping)


@pytest.mark.parametrize("stopping", [False, True, "never"])
def test_their_n_best_lists_and_filters_are_ours(marian: Any, stopping: bool | str) -> None:
    for changes in (
        {"num_return_sequences": 4},
        {"no_repeat_ngram_size": 1},
        {"no_repeat_ngram_size": 2, "num_return_sequences": 2},
        {"no_repeat_ngram_size": 3, "min_new_tokens": 6},
        {"min_new_tokens": 3, "num_return_sequences": 3},
        {"min_new_tokens": LIMIT},
        {"repetition_penalty": 1.7, "num_return_sequences": 3},
        {"repetition_penalty": 0.6, "no_repeat_ngram_size": 2},
    ):
        settings = _settings(num_beams=4, length_penalty=1.0, early_stopping=stopping, **changes)
        assert _ours(marian, settings) == _theirs(marian, settings), changes


def test_the_models_of_these_tests_end_early_and_late(marian: Any) -> None:
    lengths = {len(tokens) for tokens in _ours(marian, _settings(num_beams=4, num_return_sequences=4))}
    assert len(lengths) > 2
