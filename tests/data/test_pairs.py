import sys

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.data.example import Features
from glassformer.data.pairs import Config, stores, texts
from glassformer.data.sources import Source, settled


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.tsv").write_text("ko\ten\n가.\tGo.\n\n뛰어라.\tRun.\n", encoding="utf-8")
    (tmp_path / "b.tsv").write_text("안녕.\tHi.\n" + "길" * 50 + "\tlong\n", encoding="utf-8")
    return [str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv")]


def encode(examples):
    return [
        Features({side: np.array([ord(letter) for letter in text]) for side, text in example.fields.items()})
        for example in examples
    ]


def refuse(examples):
    pytest.fail("encoded again")


def test_a_tokenizer_sees_every_pair_of_every_source(files):
    config = Config(train=(Source(path=files[0]), Source(path=files[1], weight=0.1)), max_characters=40)
    assert list(texts(config)) == [("가.", "Go."), ("뛰어라.", "Run."), ("안녕.", "Hi.")]


def test_each_source_becomes_a_store_with_its_weight(files, tmp_path, capsys):
    config = Config(train=(Source(path=files[0]), Source(path=files[1], weight=2.5)), max_length=10)
    made = stores(config, "train", encode, {}, cache=tmp_path / "cache")
    assert [(len(store), weight) for store, weight in made] == [(2, 1.0), (1, 2.5)]
    assert bytes(made[0][0][0].arrays["target"].tolist()) == b"Go."
    assert "1 longer than 10 tokens" in capsys.readouterr().err
    assert stores(config, "valid", encode, {}) == []


def test_what_was_encoded_before_is_found_again_until_something_matters(files, tmp_path):
    config = Config(train=(Source(path=files[0]),))
    cache = tmp_path / "cache"
    (first, _), *_ = stores(config, "train", encode, {"tokenizer": "abc"}, cache=cache)
    (again, _), *_ = stores(config, "train", refuse, {"tokenizer": "abc"}, cache=cache)
    assert again.folder == first.folder
    changed = [
        ({"tokenizer": "xyz"}, config),
        ({"tokenizer": "abc"}, config.model_copy(update={"max_length": 9})),
    ]
    for settings, other in changed:
        assert stores(other, "train", encode, settings, cache=cache)[0][0].folder != first.folder


def test_standard_input_is_kept_once_and_read_as_often_as_needed(files, tmp_path, monkeypatch):
    with open(files[0], encoding="utf-8") as stream:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", stream)
        config = settled(Config(train=(Source(path="-", weight=2.0),), valid=files[1]), tmp_path / "cache")
    assert config.train[0].weight == 2.0
    assert list(texts(config)) == list(texts(config)) == [("가.", "Go."), ("뛰어라.", "Run.")]
    assert settled(config) is config


def test_standard_input_is_not_read_twice():
    with pytest.raises(UserError, match="standard input can be read only once"):
        settled(Config(train=("-", "-")))
