"""The recipe key ``embeddings``: rows of known words are set, others are as drawn, and misfits are told."""

import numpy as np
import pytest
import torch
from tiny_family import write_vit
from tiny_folder import PAIRS, write_model

from glassformer.api.initial import begin_with
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe
from glassformer.api.words import Words
from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.hub.folder import save
from glassformer.hub.tables import tables, words_of
from glassformer.hub.vectors import Vectors, write
from glassformer.models import gpt, vit
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

KNOWN = ("나는", "집에", "school", "바다")
TRANSLATION = """\
model: {dim: 8, depth: 1, heads: 2, mlp_dim: 16, max_length: 32}
tokenizer: {name: word, min_frequency: 1}
data: {train: train.tsv, max_length: 32, workers: 0}
train: {steps: 5}
"""
RUNNING = """\
model: {name: MODEL, dim: 8}
tokenizer: {name: word, min_frequency: 1}
objective: {name: OBJECTIVE}
data: {name: text, train: train.txt, block: 8, workers: 0}
train: {steps: 5}
"""


@pytest.fixture
def vectors(tmp_path):
    found = Vectors(KNOWN, np.arange(32, dtype=np.float32).reshape(4, 8) + 5)
    write(tmp_path / "known.bin", found)
    return found


@pytest.fixture
def asked(tmp_path, vectors, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS), "utf-8")
    (tmp_path / "train.txt").write_text("".join(f"{a} {b}\n" for a, b in PAIRS), "utf-8")

    def ready(*settings, recipe=TRANSLATION):
        path = tmp_path / "recipe.yaml"
        path.write_text(recipe, "utf-8")
        return prepare(read_recipe(path, settings))

    return ready


def running(model, objective="causal_lm"):
    return RUNNING.replace("MODEL", model).replace("OBJECTIVE", objective)


def check(table, drawn, tokenizer, vectors, common):
    """Rows of common words are the vectors, all others as they are without the key."""
    ids = words_of(tokenizer)
    assert [word for word in KNOWN if word in ids] == common
    for word in common:
        assert table[ids[word]].tolist() == vectors.matrix[vectors.index[word]].tolist()
    others = [row for row in range(len(table)) if row not in {ids[word] for word in common}]
    assert len(others) == len(table) - len(common) > 3
    assert torch.equal(table[others], drawn[others])


def test_words_that_both_know_begin_with_their_vectors(asked, vectors, capsys):
    drawn = asked().model.source.table.weight
    capsys.readouterr()
    parts = asked("embeddings=known.bin")
    common = ["나는", "집에", "school"]
    check(parts.model.source.table.weight, drawn, parts.tokenizers.source, vectors, common)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "begin with vectors" in line]
    count = len(words_of(parts.tokenizers.source))
    assert line.startswith(f"3 of the vocabulary's {count} words begin with vectors of ")
    assert parts.model.source.table.weight.requires_grad


@pytest.mark.parametrize("more", [(), ("tokenizer.vocab_size=14",)])
def test_each_vocabulary_finds_its_own_words(asked, vectors, more):
    settings = ("tokenizer.shared=false", "model.share=target", *more)
    plain, parts = asked(*settings), asked(*settings, "embeddings=known.bin")
    pair = parts.tokenizers
    assert (pair.source.vocab_size == pair.target.vocab_size) == bool(more)
    ours = [word for word in KNOWN if word in words_of(pair.source)]
    theirs = [word for word in KNOWN if word in words_of(pair.target)]
    assert ours or theirs
    for side, tokenizer, common in (("source", pair.source, ours), ("target", pair.target, theirs)):
        table, drawn = (getattr(one.model, side).table.weight for one in (parts, plain))
        check(table, drawn, tokenizer, vectors, common)


MODELS = {"gpt": "causal_lm", "bert": "masked_lm", "rnn": "causal_lm", "word2vec": "skip_gram"}


@pytest.mark.parametrize("name", sorted(set(MODELS) & set(plugins.names("models"))))
def test_models_of_every_kind_begin_so(asked, vectors, name):
    recipe = running(name, MODELS[name])
    plain, parts = asked(recipe=recipe), asked("embeddings=known.bin", recipe=recipe)
    (table,), (drawn,) = (tables(one.model, one.tokenizers.source.vocab_size) for one in (parts, plain))
    check(table.weight, drawn.weight, parts.tokenizers.source, vectors, ["나는", "집에", "school"])


def test_a_model_can_begin_with_the_words_of_another(asked, tmp_path, capsys):
    """Its own words are found by their names, whatever their ids."""
    tokenizer = train(TokenizerConfig(name="word", min_frequency=1), ["school 바다 나는", "나는"])
    torch.manual_seed(1)
    other = gpt.Model(gpt.Config(dim=8, depth=1, heads=2, vocab_size=tokenizer.vocab_size))
    save(tmp_path / "other", other, TokenizerPair(tokenizer, tokenizer))
    parts = asked("embeddings=other", recipe=running("gpt"))
    (ours,), (theirs,) = (
        tables(parts.model, parts.model.config.vocab_size),
        tables(other, tokenizer.vocab_size),
    )
    words = parts.tokenizers.source
    for word in ("나는", "school"):
        (mine,), (yours,) = words.encode(word), tokenizer.encode(word)
        assert torch.equal(ours.weight[mine], theirs.weight[yours])
    assert "2 of the vocabulary's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("embeddings=none.bin",), r"none\.bin: no such file"),
        (("embeddings=known.bin", "model.dim=16"), r"have 8 values and the model's 16; set model\.dim=8"),
        (("embeddings=strange.txt",), r"embeddings: no word of the vocabulary is in .*strange\.txt"),
        (("embeddings=known.bin", "init=model"), "init goes on from a trained one; give one of them"),
        (("embeddings=images",), "no tokenizer lies beside the model"),
        (("embeddings=pickle.kv",), "is a pickle"),
    ],
)
def test_what_cannot_begin_a_model_is_told(asked, tmp_path, settings, said):
    write(tmp_path / "strange.txt", Vectors(("없는말",), np.ones((1, 8), np.float32)))
    write_model(tmp_path / "model")
    write_vit(tmp_path / "images")
    (tmp_path / "pickle.kv").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match=said):
        asked(*settings)


def test_a_model_that_reads_no_words_cannot_begin_with_them(vectors):
    model = vit.Model(vit.Config(dim=8, depth=1, heads=2, image_size=8, patch=4, classes=2))
    with pytest.raises(UserError, match="embeddings: the model has no table of word vectors"):
        begin_with(Words(vectors, "here"), model, None)
