"""During training some sentences are decoded; that all answers are alike is said once, not at the start."""

import pytest
from tiny_folder import PAIRS

from glassformer.api import measuring_translations as room
from glassformer.api.preparing import prepare
from glassformer.api.recipe import read_recipe

RECIPE = """\
model: {dim: 8, depth: 1, heads: 2, mlp_dim: 16, max_length: 32}
tokenizer: {name: byte_bpe, vocab_size: 300, min_frequency: 1}
data: {train: train.tsv, valid: train.tsv, max_length: 32, workers: 0}
train: {steps: 1}
evaluation: {sentences: 2, decoding: {max_new_tokens: 4}}
"""


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "train.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in PAIRS), "utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE, "utf-8")
    return lambda *settings: prepare(read_recipe(path, settings))


def test_as_many_sentences_as_asked_are_decoded_and_scored(parts):
    watching = room.watching(parts())
    assert [source for source, _ in watching.chosen] == [one for one, _ in PAIRS[:2]]
    assert watching(watching.parts.model).keys() == {"bleu", "chrf"}


def test_nothing_is_watched_where_no_sentence_is_asked_for(parts):
    assert room.watching(parts("evaluation.sentences=0")) is None


def test_that_all_answers_are_alike_is_said_once_and_not_before_training(parts, monkeypatch, capsys):
    monkeypatch.setattr(room, "same_answers", lambda texts: f"all {len(texts)} are alike")
    watching = room.watching(parts())
    told = []
    for _ in range(3):
        watching(watching.parts.model)
        told.append("all 2 are alike" in capsys.readouterr().err)
    assert told == [False, True, False]


def test_without_a_pair_there_is_nothing_to_measure(parts, tmp_path):
    assert room.measure(parts("data.valid=null", "evaluation.sentences=0"), tmp_path) is None
