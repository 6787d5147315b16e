"""Virtual tokens begin as words of the vocabulary, as a text, or at random."""

import pytest
import torch
from pydantic import ValidationError

from glassformer.adapt.prompt import Config, bend
from glassformer.base.errors import UserError
from glassformer.models.gpt import Config as Sizes
from glassformer.models.gpt import Model
from glassformer.text.train import TokenizerConfig, train_pair


def _vectors(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = Model(Sizes(dim=8, depth=1, heads=2, max_length=40, vocab_size=9))
    bend(model, config, None)
    return model.embedding.table.prompt.detach(), model.embedding.table.weight.detach()


def test_words_are_drawn_once_each_before_any_comes_again():
    prompt, table = _vectors(Config(tokens=9))
    assert sorted(prompt.tolist()) == sorted(table.tolist())
    assert _vectors(Config(tokens=20))[0].shape == (20, 8)


def test_at_random_they_are_spread_as_words_are():
    prompt, table = _vectors(Config(tokens=30, init="random"))
    assert 0.5 < float(prompt.std() / table.std()) < 2


def test_a_text_is_said_again_until_there_are_enough():
    pair = train_pair(
        TokenizerConfig(name="word", vocab_size=60, min_frequency=1), [("the cat", "sleeps")] * 3
    )
    size = pair.source.vocab_size
    model = Model(Sizes(dim=8, depth=1, heads=2, max_length=40, vocab_size=size))
    bend(model, Config(tokens=5, init="text", text="the cat"), pair)
    ids = (list(pair.source.encode("the cat")) * 5)[:5]
    table = model.embedding.table
    assert torch.equal(table.prompt.detach(), table.weight.detach()[ids])
    with pytest.raises(UserError, match="has no words that the model's tokenizer knows"):
        bend(Model(model.config), Config(init="text", text=""), pair)


def test_a_text_belongs_to_its_kind():
    with pytest.raises(ValidationError, match="give both or none"):
        Config(text="그 영화는")
