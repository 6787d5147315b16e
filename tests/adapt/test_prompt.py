"""Virtual tokens begin as words of the vocabulary, as a text, or at random."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tests.contracts.lessons import LESSONS

import glassformer as gf
from glassformer.adapt.prompt import Config, bend
from glassformer.base.errors import UserError
from glassformer.hub import folder as hub
from glassformer.models.gpt import Config as Sizes
from glassformer.models.gpt import Model


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


def test_a_text_is_said_again_until_there_are_enough(tmp_path: Path):
    recipe = LESSONS["classification"].write(tmp_path)
    gf.train(recipe, ["train.steps=1"], output=tmp_path / "base")
    opened = hub.load(tmp_path / "base")
    word = opened.tokenizers.source.pieces([opened.tokenizers.source.vocab_size - 1])[0]
    body = opened.model.body
    ids = opened.tokenizers.source.encode(word)
    bend(body, Config(tokens=5, init="text", text=word), opened.tokenizers)
    table = body.embedding.table
    assert torch.equal(table.prompt, table.weight[torch.tensor((ids * 5)[:5])])
    with pytest.raises(UserError, match="has no words that the model's tokenizer knows"):
        bend(hub.load(tmp_path / "base").model.body, Config(init="text", text=" "), opened.tokenizers)


def test_a_text_belongs_to_its_kind():
    with pytest.raises(ValidationError, match="give both or none"):
        Config(text="그 영화는")
