"""A model that translates, opened for use: one line or many, settings, alignments."""

import pytest
from tiny_folder import PAIRS

import glassformer as gf
from glassformer.api.loading import load
from glassformer.base.errors import UserError

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
