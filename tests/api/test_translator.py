"""A model that translates, opened for use: one line or many, settings, alignments."""

import pytest
from tiny_folder import PAIRS

import glassformer as gf
from glassformer.api.loading import load
from glassformer.base.errors import UserError
from glassformer.models import seq2seq

LINES = [one for one, _ in PAIRS]


def test_one_line_or_many_give_a_list(model_folder):
    model = load(model_folder)
    many = model.translate(LINES, max_new_tokens=5)
    assert len(many) == len(LINES)
    assert model.translate(LINES[0], max_new_tokens=5) == many[:1]
    assert model.translate([]) == []
    assert model.translate(["", LINES[1]], max_new_tokens=5) == ["", many[1]]


def test_settings_of_a_call_replace_the_folders_and_are_checked(model_folder):
    model = load(model_folder)
    assert model.decoding.num_beams == 2
    found = list(
        model.translations(LINES[:1], gf.Decoding(num_beams=3, num_return_sequences=3, max_new_tokens=4))
    )
    assert len(found[0].alternatives) == 2
    with pytest.raises(UserError, match="unknown key 'num_beamz'; did you mean 'num_beams'"):
        model.translate(LINES, num_beamz=3)
    assert model.decoding.num_beams == 2


def test_an_alignment_names_words_of_both_sides(model_folder):
    model = load(model_folder)
    (links,) = model.align(PAIRS[:1])
    source, target = (len(text.split()) for text in PAIRS[0])
    assert links
    assert all(one in range(source) and other in range(target) for one, other in links)
    assert list(model.align(PAIRS)) == [next(model.align([pair])) for pair in PAIRS]


def _recurrent(model_folder, **settings):
    """The same folder, opened with two recurrences in the place of its Transformer."""
    opened = load(model_folder)
    words = {"vocab_size": 0, "target_vocab_size": 0, "pad_id": 0, "eos_id": 0, "start_id": 0}
    same = {name: getattr(opened.model.config, name) for name in words}
    opened.model = seq2seq.Model(seq2seq.Config(dim=16, **same, **settings)).eval()
    return opened


@pytest.mark.parametrize("looks", ["before", "after"])
def test_what_looks_word_by_word_is_aligned_as_what_looks_at_once(model_folder, looks):
    model = _recurrent(model_folder, looks=looks)
    for pair, links in zip(PAIRS, model.align(PAIRS), strict=True):
        assert {word for _, word in links} == set(range(len(pair[1].split())))
        assert all(0 <= word < len(pair[0].split()) for word, _ in links)
    assert list(model.align(PAIRS)) == [next(model.align([pair])) for pair in PAIRS]


def test_a_recurrence_is_aligned_by_what_it_sees_when_it_writes(model_folder, monkeypatch):
    asked = []
    monkeypatch.setattr("glassformer.api.translator.align", lambda *_, at, **__: asked.append(at) or iter(()))
    load(model_folder).align(PAIRS)
    _recurrent(model_folder).align(PAIRS)
    assert asked == ["read", "written"]


def test_a_model_that_looks_at_no_word_has_no_alignment(model_folder):
    with pytest.raises(UserError, match="cannot align words; use one with attention"):
        list(_recurrent(model_folder, attention="none").align(PAIRS))
