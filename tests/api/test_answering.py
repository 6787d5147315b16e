"""Answers: each line's translation in order with what was asked for beside it, nothing for blank lines."""

import math

import pytest

from glassformer.api.answering import Answer, answers
from glassformer.api.evaluation import translate_all
from glassformer.api.loading import load
from glassformer.api.opened import choose
from glassformer.base.errors import UserError
from glassformer.decode.settings import Decoding
from glassformer.decode.translate import Translation

TEXT = ["나는 학교에 간다", "", "우리는 밥을 먹는다", "그는 온다"]


@pytest.fixture(scope="module")
def model(model_folder):
    return load(model_folder, device="cpu")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "in.txt"
    file.write_text("".join(f"{line}\n" for line in TEXT), encoding="utf-8")
    return str(file)


def settings(model, **given):
    return choose(model.decoding, {"max_new_tokens": 6, **given})


@pytest.mark.parametrize("window", [1, 3, 1024])
def test_answers_are_the_translations_in_order_whatever_the_window(model, path, window):
    found = list(answers(model, path, settings(model), window=window))
    assert [one.source for one in found] == TEXT
    assert [one.number for one in found] == [0, 1, 2, 3]
    expected = model.translate(TEXT, max_new_tokens=6)
    assert [line for one in found for line in one.lines()] == expected
    assert expected[1] == ""


def test_an_n_best_list_is_numbered_and_scored(model, path):
    found = list(answers(model, path, settings(model, num_return_sequences=2)))
    lines = [line.split(" ||| ") for one in found for line in one.lines()]
    assert [line[0] for line in lines] == ["0", "0", "1", "2", "2", "3", "3"]
    assert all(len(line) == 4 for line in lines)
    assert float(lines[0][3]) >= float(lines[1][3])
    told = found[0].as_json()
    assert set(told) == {"source", "translation", "logp", "score", "alternatives"}
    assert math.isclose(told["logp"], float(lines[0][2]), abs_tol=1e-4)
    assert [set(one) for one in told["alternatives"]] == [{"translation", "logp", "score"}]


def test_every_translation_gets_its_own_alignment(model, path):
    chosen = settings(model, num_return_sequences=2)
    found = list(answers(model, path, chosen, alignment=True, window=2))
    for one in found:
        assert len(one.links) == len(one.found)
        for translation, links in zip(one.found, one.links, strict=True):
            assert list(links) == next(model.align([(one.source, translation.text)]))
    assert found[0].as_json()["alignment"] == [list(link) for link in found[0].links[0]]
    assert all(len(line.split(" ||| ")) == 5 for line in found[0].lines())


def test_a_blank_line_stays_blank_even_with_an_alignment(model, path):
    found = list(answers(model, path, settings(model), alignment=True))
    assert list(found[1].lines()) == [""]
    assert found[1].as_json() == {"source": "", "translation": "", "logp": 0.0, "score": 0.0, "alignment": []}


def test_every_translation_begins_with_the_prefix(model, path):
    found = list(answers(model, path, settings(model, max_new_tokens=12), prefix="school"))
    assert [one.found[0].text.startswith("school") for one in found] == [True, False, True, True]


def test_progress_counts_every_line(model, path):
    counted = []
    list(answers(model, path, settings(model), on_progress=counted.append))
    assert sum(counted) == len(TEXT)


def test_a_line_longer_than_the_model_is_refused_with_its_number_or_cut(model, tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("나는\n" + "간다 " * 40 + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="line 2: the source has"):
        list(answers(model, str(path), settings(model)))
    assert len(list(answers(model, str(path), settings(model), too_long="cut"))) == 2


def test_a_choice_lays_what_was_typed_over_what_the_folder_says():
    base = Decoding(num_beams=6, length_penalty=1.5)
    assert choose(base, {}) == base
    assert choose(base, {"num_beams": 3}) == Decoding(num_beams=3, length_penalty=1.5)
    with pytest.raises(UserError, match="raise num_beams"):
        choose(base, {"num_return_sequences": 9})


def test_numbers_are_written_plainly():
    one = Answer(3, "x", (Translation("y", logp=-1.0, score=-0.5),), (), listed=True)
    assert list(one.lines()) == ["3 ||| y ||| -1.0000 ||| -0.5000"]


def test_a_test_set_is_decoded_as_the_folder_says_but_for_what_is_given(model):
    lines = TEXT[2:]
    shorter = model.translate(lines, max_new_tokens=3)
    assert translate_all(model, lines, {"max_new_tokens": 3})[0] == shorter
    assert translate_all(model, lines, None)[0] == model.translate(lines) != shorter
