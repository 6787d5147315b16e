"""The words that a tokenizer's pieces are, and the vectors that models of every kind hold for them."""

import unicodedata

import numpy as np
import pytest
import torch
from torch import nn

from glassformer.base import plugins
from glassformer.base.errors import RunError, UserError
from glassformer.hub.tables import tables, vectors_of, words_of
from glassformer.models import bert, gpt, transformer, vit
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

TEXTS = ["서울 (서울) API를 를 <pad> a.b . The the", "한국의 서울은 é 🙂"]


def learned(name: str, **settings):
    return train(TokenizerConfig(name=name, vocab_size=400, min_frequency=1, **settings), TEXTS)


def test_a_word_is_called_without_the_space_before_it():
    tokenizer = learned("word")
    found = words_of(tokenizer)
    assert [found["서울"]] == tokenizer.encode("서울")
    assert [found["API"], found["##를"]] == tokenizer.encode("API를")
    assert [found["를"]] == tokenizer.encode("를")
    assert found["##서울"] == tokenizer.encode("(서울)")[1]
    assert "##b" not in found and found["b"] == tokenizer.encode("a.b")[2]
    assert list(found.values()) == sorted(found.values())


@pytest.mark.parametrize("name", ["word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_special_tokens_bytes_and_spaces_are_no_words(name):
    tokenizer = learned(name)
    found = words_of(tokenizer)
    assert not tokenizer.specials_ids() & set(found.values())
    assert len(set(found.values())) == len(found) > 10
    assert all(word and not any(map(str.isspace, word)) and "<0x" not in word for word in found)


def test_words_of_jamo_are_composed():
    found = words_of(learned("word", jamo=True))
    assert "서울" in found and all(word == unicodedata.normalize("NFC", word) for word in found)


def test_tables_are_found_by_their_size_each_once():
    shared = transformer.Config(dim=8, depth=1, heads=2, mlp_dim=16, vocab_size=20, target_vocab_size=20)
    assert len(tables(transformer.Model(shared), 20)) == 1
    apart = shared.model_copy(update={"share": "target", "target_vocab_size": 30})
    model = transformer.Model(apart)
    assert [len(tables(model, rows)) for rows in (20, 30, 40)] == [1, 1, 0]


@pytest.mark.parametrize("name", plugins.names("models"))
def test_every_model_that_reads_words_has_a_table_of_them(name):
    module = plugins.find("models", name)
    sizes = {"vocab_size": 37, "target_vocab_size": 37}
    known = {key: size for key, size in sizes.items() if key in module.Config.model_fields}
    with torch.device("meta"):
        model = module.Model(module.Config(**known))
    assert bool(tables(model, 37)) == bool(known)


def test_what_a_model_answers_by_is_no_table_of_what_it_reads():
    model = nn.ModuleDict({"input": nn.Embedding(20, 4), "output": nn.Embedding(20, 4)})
    assert tables(model, 20) == [model["input"]]


@pytest.mark.parametrize("module", [gpt, bert])
def test_vectors_are_the_rows_of_the_words(module):
    tokenizer = learned("word")
    model = module.Model(module.Config(dim=8, depth=1, heads=2, vocab_size=tokenizer.vocab_size + 3))
    found = vectors_of(model, TokenizerPair(tokenizer, tokenizer), "here")
    (table,) = tables(model, tokenizer.vocab_size + 3)
    (place,) = tokenizer.encode("서울")
    assert np.array_equal(found.matrix[found.index["서울"]], table.weight[place].detach().numpy())
    assert found.dim == 8 and "<pad>" not in found.index
    with torch.no_grad():
        table.weight[place, 1] = float("nan")
    with pytest.raises(RunError, match="here: the word vectors are not all numbers"):
        vectors_of(model, TokenizerPair(tokenizer, tokenizer), "here")


def test_a_model_without_a_table_is_told():
    tokenizer = learned("word")
    model = vit.Model(
        vit.Config(dim=8, depth=1, heads=2, mlp_dim=8, image_size=8, patch=4, classes=2, channels=1)
    )
    with pytest.raises(UserError, match="here: the model has no table of word vectors"):
        vectors_of(model, TokenizerPair(tokenizer, tokenizer), "here")
