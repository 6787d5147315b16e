"""A shortlist for a model folder: what is kept of the pairs, how it is measured, and that it is used."""

from __future__ import annotations

import pytest
from tiny_folder import PAIRS, write_model

import glassformer as gf
from glassformer.api.shortlisting import open_shortlist
from glassformer.base.errors import UserError
from glassformer.text.train import TokenizerConfig, train_pair


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "train.tsv"
    path.write_text("".join(f"{one}\t{other}\n" for one, other in PAIRS * 30), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(model_folder, pairs, tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "words.safetensors"
    return gf.shortlist(model_folder, str(pairs), path, likely=8, always=4)


def test_it_is_learned_from_some_pairs_and_measured_on_the_others(made):
    assert (made.pairs, made.held_out, made.vocabulary) == (118, 2, 300)
    assert made.covered == 1.0
    assert 4 <= made.candidates < 60
    assert "118 pairs" in str(made) and "100.00%" in str(made) and made.as_json()["held_out"] == 2


def test_few_pairs_leave_none_to_measure_by(model_folder, tmp_path):
    path = tmp_path / "few.tsv"
    path.write_text("나는 학교에 간다\tI go to school\n", encoding="utf-8")
    made = gf.shortlist(model_folder, str(path), tmp_path / "words")
    assert made.covered is None and "too few to measure" in str(made)


def test_translations_are_made_of_listed_tokens_alone(made, model_folder):
    model = gf.load(model_folder, device="cpu")
    opened = open_shortlist(model, made.output)
    sources = [source for source, _ in PAIRS]
    listed = list(model.translations(sources, shortlist=opened, prefixes=[""] * 4))
    free = list(model.translations(sources))
    for one in listed:
        row = opened.likely[list(one.source_tokens)].flatten().tolist()
        assert set(one.tokens) <= {*row, *opened.always.tolist()}
    assert [one.tokens for one in free] != [one.tokens for one in listed]


def test_a_list_of_the_whole_vocabulary_changes_nothing(model_folder, pairs, tmp_path):
    model = gf.load(model_folder, device="cpu")
    gf.shortlist(model_folder, str(pairs), tmp_path / "all", likely=1, always=300)
    opened = open_shortlist(model, tmp_path / "all")
    everything = type(opened)(opened.likely, opened.always.new_tensor(range(300)), 300)
    sources = [source for source, _ in PAIRS]
    free, listed = list(model.translations(sources)), list(model.translations(sources, shortlist=everything))
    assert [one.tokens for one in free] == [one.tokens for one in listed]
    assert [one.logp for one in free] == pytest.approx([one.logp for one in listed], abs=1e-4)


def test_another_vocabulary_and_no_pairs_are_refused(made, tmp_path, model_folder):
    other = write_model(tmp_path / "other")
    (tmp_path / "none.tsv").write_text("\t\n\t\n", encoding="utf-8")
    with pytest.raises(UserError, match="no pairs to learn from"):
        gf.shortlist(model_folder, str(tmp_path / "none.tsv"), tmp_path / "words")
    assert not (tmp_path / "words").exists()
    model = gf.load(other, device="cpu")
    open_shortlist(model, made.output)  # the same tokenizer, so the same words
    model._tokenizers = train_pair(TokenizerConfig(name="byte_bpe", vocab_size=290), PAIRS[:2])
    with pytest.raises(UserError, match="other tokenizers"):
        open_shortlist(model, made.output)
