"""``glassformer words``: what is printed, in lines and in JSON, and how mistakes end."""

import json
import pickle

import numpy as np
import pytest
from tiny_family import write_gpt

import glassformer as gf
from glassformer.hub.vectors import Vectors, write

NAMES = ("서울", "한국", "도쿄", "일본", "사과")


@pytest.fixture
def vectors(tmp_path):
    matrix = np.eye(5, 4, dtype=np.float32)
    matrix[:4] = [[1, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0]]
    matrix[4, 3] = 1
    write(tmp_path / "words.bin", Vectors(NAMES, matrix))
    return tmp_path / "words.bin"


def test_neighbours_stand_below_their_word(ask, vectors):
    ended = ask("words", vectors, "서울", "사과", "--top-k", 2)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[:3] == ["서울", "  0.7071  한국", "  0.0000  도쿄"]
    assert len(ended.out.splitlines()) == 6


def test_a_sum_is_typed_as_it_is_said(ask, vectors):
    ended = ask("words", vectors, "서울", "-", "한국", "+", "일본", "--top-k", 1)
    assert ended.code == 0 and ended.out.splitlines()[0] == "서울 - 한국 + 일본"
    assert ended.out.splitlines()[1].split()[1] == "도쿄"
    found = ask("words", vectors, "서울 - 한국 + 일본", "--json").result
    assert found["question"] == "서울 - 한국 + 일본" and found["neighbours"][0]["word"] == "도쿄"


def test_similarity_is_a_number(ask, vectors):
    assert ask("words", vectors, "--similarity", "서울", "한국").out == "0.7071\n"
    found = ask("words", vectors, "--similarity", "서울", "한국", "--json").result
    assert found == {"words": ["서울", "한국"], "similarity": pytest.approx(0.5**0.5)}


def test_scores_are_told_in_lines_and_json(ask, vectors, tmp_path):
    (tmp_path / "pairs.tsv").write_text("서울\t한국\t9\n서울\t도쿄\t1\n서울\t부산\t5\n", "utf-8")
    (tmp_path / "questions.txt").write_text(": 수도\n한국 서울 일본 도쿄\n", "utf-8")
    files = ("--pairs", tmp_path / "pairs.tsv", "--analogies", tmp_path / "questions.txt")
    first, second, *table = ask("words", vectors, *files).out.splitlines()
    assert first == "Spearman 1.0000  Pearson 1.0000"
    assert second == "2 pairs, 1 more with unknown words"
    assert table[-1].split() == ["total", "100.0", "%", "1", "1", "0"]
    pairs, analogies = map(json.loads, ask("words", vectors, *files, "--json").out.splitlines())
    assert (pairs["spearman"], pairs["unknown"]) == (pytest.approx(1), 1)
    assert (analogies["accuracy"], analogies["sections"][0]["section"]) == (1, "수도")


def test_a_models_words_are_exported(ask, tmp_path):
    folder = write_gpt(tmp_path / "model")
    ended = ask("words", folder, "--export", tmp_path / "words.txt")
    assert ended.code == 0 and ended.out == ""
    assert "words of 16 values" in ended.err
    assert gf.load_words(tmp_path / "words.txt").vectors.words == gf.load_words(folder).vectors.words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to look for: words, --similarity"),
        (("서올",), "'서올' is not among the 5 words of"),
        (("서울", "-"), "'서울 -' is no sum of words"),
        (("--pairs", "none.tsv"), "none.tsv: no such file"),
        (("--analogies", "none.txt"), "none.txt: no such file"),
        (("--export", "words.json"), "words.json: the name says no format"),
        (("서울", "--top-k", "0"), "--top-k"),
    ],
)
def test_mistakes_are_told_with_exit_code_two(ask, vectors, words, said):
    ended = ask("words", vectors, *words)
    assert ended.code == 2
    assert said in ended.err and "Traceback" not in ended.err


def test_a_pickle_waits_to_be_trusted(ask, tmp_path):
    (tmp_path / "a.kv").write_bytes(pickle.dumps([1]))
    ended = ask("words", tmp_path / "a.kv", "서울")
    assert ended.code == 2 and "add --trusted" in ended.err
    missing = ask("words", tmp_path / "none", "서울")
    assert missing.code == 2 and "none: no such file" in missing.err
