"""Figures for word vectors are those of gensim, and bad lines are told with their number."""

import importlib.util
import math
import unicodedata

import numpy as np
import pytest
from scipy import stats

from glassformer.base.errors import UserError
from glassformer.evaluate import words
from glassformer.evaluate.words import analogy_scores, correlation, pair_scores, ranks
from glassformer.hub.vectors import Vectors

gensim = pytest.mark.skipif(importlib.util.find_spec("gensim") is None, reason="needs the package gensim")

FAMILY = ("King", "queen", "man", "woman")
NAMES = ("서울", "한국", "도쿄", "일본", "파리", "프랑스", "Paris", "paris", *FAMILY)
PAIRS = (
    "# 말\n서울\t한국\t8.5\n도쿄\t일본\t9\nparis\t파리\t8.5\nKING\tqueen\t7\n서울\tman\t1\n서울\t없다\t3\n"
)
ANALOGIES = """\
: 수도
서울 한국 도쿄 일본
도쿄 일본 파리 프랑스
서울 한국 없다 프랑스
: family
man king woman QUEEN
MAN woman king queen
paris 파리 PARIS paris
: 없는 것
가 나 다 라
"""


@pytest.fixture
def some():
    return Vectors(NAMES, np.random.default_rng(2).normal(size=(len(NAMES), 4)).astype(np.float32))


@pytest.fixture
def file(tmp_path):
    def written(text: str):
        (tmp_path / "a.txt").write_text(text, "utf-8")
        return tmp_path / "a.txt"

    return written


def keyed(some: Vectors):
    from gensim.models import KeyedVectors

    held = KeyedVectors(some.dim)
    held.add_vectors(list(some.words), some.matrix)
    return held


def countries() -> Vectors:
    """A space in which a country is its capital and one step more."""
    matrix = np.zeros((6, 4), np.float32)
    for place in range(3):
        matrix[2 * place, place] = matrix[2 * place + 1, place] = 1
        matrix[2 * place + 1, 3] = 1
    return Vectors(NAMES[:6], matrix)


@gensim
def test_pairs_are_scored_as_by_gensim(some, file):
    path = file(PAIRS)
    found = pair_scores(some, path)
    pearson, spearman, unknown = keyed(some).evaluate_word_pairs(str(path))
    assert (found.pearson, found.spearman) == pytest.approx((pearson[0], spearman[0]), abs=1e-6)
    assert (found.known, found.unknown) == (5, 1)
    assert 100 * found.unknown / (found.known + found.unknown) == pytest.approx(unknown)


@gensim
@pytest.mark.parametrize("first", [300_000, 7, 9])
def test_analogies_are_scored_as_by_gensim(file, first, monkeypatch):
    monkeypatch.setattr(words, "FIRST", first)
    monkeypatch.setattr(words, "_AT_ONCE", 2)
    path = file(ANALOGIES)
    rights = 0
    for seed in range(20):
        some = Vectors(NAMES, np.random.default_rng(seed).normal(size=(len(NAMES), 2)).astype(np.float32))
        found = analogy_scores(some, path)
        score, sections = keyed(some).evaluate_word_analogies(str(path), restrict_vocab=first)
        theirs = [(len(one["correct"]), len(one["correct"]) + len(one["incorrect"])) for one in sections]
        assert [(one.right, one.asked) for one in (*found.sections, found.total)] == theirs
        assert found.total.accuracy == score
        rights += found.total.right
    assert rights > 0


def test_what_is_built_in_is_found(file):
    found = analogy_scores(countries(), file(ANALOGIES.partition(": family")[0]))
    capitals = {"section": "수도", "accuracy": 1.0, "right": 2, "asked": 2, "unknown": 1}
    assert found.as_json() == capitals | {"section": "total", "sections": [capitals]}


def test_sections_without_a_known_question_have_no_accuracy(file):
    found = analogy_scores(countries(), file(ANALOGIES))
    assert [(one.name, one.asked, one.unknown) for one in found.sections] == [
        ("수도", 2, 1),
        ("family", 0, 3),
        ("없는 것", 0, 1),
    ]
    assert math.isnan(found.sections[2].accuracy)
    assert found.as_json()["sections"][2]["accuracy"] is None
    assert (found.total.right, found.total.asked, found.total.unknown) == (2, 2, 5)
    header, _, *rows = found.lines()
    assert header.split() == ["section", "accuracy", "right", "asked", "unknown"]
    assert rows[0].split() == ["수도", "100.0", "%", "2", "2", "1"] and rows[2].split()[-3:] == [
        "0",
        "0",
        "1",
    ]


def test_ranks_and_correlations_are_those_of_scipy():
    chance = np.random.default_rng(0)
    left, right = chance.integers(0, 6, 40).astype(float), chance.normal(size=40)
    assert np.array_equal(ranks(left), stats.rankdata(left))
    assert correlation(left, right) == pytest.approx(stats.pearsonr(left, right)[0])
    assert correlation(ranks(left), ranks(right)) == pytest.approx(stats.spearmanr(left, right)[0])
    assert math.isnan(correlation(left, np.ones(40)))


def test_figures_of_pairs_are_told_in_words_and_json(some, file):
    found = pair_scores(some, file("서울\t한국\t1\n도쿄\t일본\t1\n서울\t없다\t1\n"))
    assert found.as_json() == {"pairs": 2, "unknown": 1, "pearson": None, "spearman": None}
    assert list(found.lines()) == ["Spearman nan  Pearson nan", "2 pairs, 1 more with unknown words"]


def test_pairs_may_be_parted_by_commas_and_spaces(some, file):
    with_tabs = pair_scores(some, file("서울\t한국\t1\n도쿄\t일본\t2\n파리\t프랑스\t2\n"))
    assert pair_scores(some, file("서울,한국,1\n도쿄, 일본 ,2\n\n파리 프랑스 2\n")) == with_tabs


def test_words_are_composed_before_they_are_looked_up(some, file):
    apart = unicodedata.normalize("NFD", "서울\t한국\t1\n도쿄\t일본\t2\n")
    assert len(apart) > 20 and pair_scores(some, file(apart)).unknown == 0
    assert analogy_scores(some, file(unicodedata.normalize("NFD", ANALOGIES))).sections[0].asked == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("서울\t한국\n", r"a\.txt:1: has 2 fields; write two words and a number"),
        ("# 말\n서울\t한국\t1\n서울\t한국\t많이\n", r"a\.txt:3: '많이' is not a number"),
        ("서울\t한국\tnan\n", r"a\.txt:1: 'nan' is not a number"),
        ("서울\t한국\t1\n서울\t없다\t1\n", r"a\.txt: of 2 pairs the vectors know 1; a correlation needs 2"),
        ("", r"a\.txt is empty; write two words and a number a line"),
        ("# 말\n", r"a\.txt is empty; write two words and a number a line"),
    ],
)
def test_what_is_wrong_in_a_file_of_pairs_is_told(some, file, text, said):
    with pytest.raises(UserError, match=said):
        pair_scores(some, file(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("서울 한국 도쿄 일본\n", r"a\.txt:1: stands before the first section; begin one by ': its name'"),
        (": 수도\n\n서울 한국 도쿄\n", r"a\.txt:3: has 3 words; an analogy has 4"),
        (": 수도\n가 나 다 라\n", r"a\.txt: of 1 questions the vectors know none"),
        ("", r"a\.txt: of 0 questions the vectors know none"),
    ],
)
def test_what_is_wrong_in_a_file_of_analogies_is_told(some, file, text, said):
    with pytest.raises(UserError, match=said):
        analogy_scores(some, file(text))
