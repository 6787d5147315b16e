"""The recurrent language model: the lectures' and published sizes, first weights, dropout, and its file."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from tests.models.drawn import drawn
from torch.nn import functional

from glassformer.models.rnn import PRESETS, Config, Model, read, write

TINY = {"dim": 8, "depth": 2, "vocab_size": 31}
WORDS = 10_000


def _count(preset: str, words: int) -> int:
    with torch.device("meta"):
        model = Model(Config(**PRESETS[preset], vocab_size=words))
    return sum(weight.numel() for weight in model.parameters())


def test_the_network_of_the_lectures_has_its_numbers() -> None:
    model = Model(Config(**PRESETS["lecture"], vocab_size=5_000))
    sizes = [weight.numel() for weight in model.recurrence.parameters()]
    assert sorted(sizes) == [128, 12_800, 16_384]
    assert model.embedding.weight.numel() == 500_000


@pytest.mark.parametrize("preset", ["zaremba-small", "zaremba-medium", "zaremba-large"])
def test_published_sizes_are_two_layers_of_lstm_between_two_tables(preset: str) -> None:
    dim = PRESETS[preset]["dim"]
    layer = 4 * (dim * dim + dim * dim + dim)
    assert _count(preset, WORDS) == WORDS * dim + 2 * layer + WORDS * dim + WORDS


def test_the_published_large_model_has_sixty_six_million_weights() -> None:
    assert round(_count("zaremba-large", WORDS) / 1e6) == 66


@torch.no_grad()
def test_the_first_loss_is_near_that_of_guessing() -> None:
    torch.manual_seed(0)
    for tied in (False, True):
        model = Model(Config(**{**TINY, "dim": 64}, tied=tied)).eval()
        tokens = torch.randint(0, 31, (8, 20))
        scores = model({"tokens": tokens})
        loss = functional.cross_entropy(scores[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        assert abs(float(loss) - math.log(31)) < 0.2


def test_a_tied_output_is_the_table_of_embeddings() -> None:
    model = Model(Config(**TINY, tied=True))
    assert model.output.weight is model.embedding.weight
    assert Model(Config(**TINY)).output.weight is not model.embedding.weight


def test_a_tied_output_needs_hidden_states_as_wide_as_embeddings() -> None:
    with pytest.raises(ValidationError, match="tied needs hidden states as wide as embeddings; dim is 8"):
        Config(**TINY, tied=True, hidden_dim=12)


def test_dropout_falls_on_both_ends_and_between_and_never_in_evaluation() -> None:
    model = drawn(Model(Config(**TINY, dropout=0.5)))
    batch = {"tokens": torch.randint(0, 31, (4, 9))}
    assert torch.equal(model.eval()(batch), model(batch))
    hidden = model.train().hidden(batch)
    assert 0.2 < float((hidden == 0).float().mean()) < 0.8


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_file_says_all_that_the_configuration_says(cell: str) -> None:
    config = Config(
        **TINY, cell=cell, hidden_dim=12, dropout=0.3, max_length=99, pad_id=4, eos_id=5, start_id=6
    )
    assert read(write(config)) == config
    tied = Config(**TINY, tied=True)
    assert read(write(tied)) == tied


def test_a_text_goes_on_past_the_longest_that_is_read_at_once() -> None:
    model = drawn(Model(Config(**TINY, max_length=4))).eval()
    tokens = torch.randint(0, 31, (2, 9))
    with torch.no_grad():
        state = model.start(tokens[:, :6])
        torch.testing.assert_close(state.read(tokens[:, 6:]), model({"tokens": tokens})[:, 6:])
