"""Files of word vectors: what gensim writes is read and the reverse, and what is wrong is told where."""

import gzip
import importlib.util
import pickle
import unicodedata

import numpy as np
import pytest

from glassformer.base.errors import UserError
from glassformer.hub import vectors
from glassformer.hub.vectors import Vectors, form_of, read, write

WORDS = ("서울", "한국", "도쿄", "일본", "king", "é", "🙂")
NAMES = ["a.txt", "a.vec", "a.bin", "a.txt.gz", "a.bin.gz"]
gensim = pytest.mark.skipif(importlib.util.find_spec("gensim") is None, reason="needs the package gensim")


@pytest.fixture
def some():
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(len(WORDS), 5)).astype(np.float32)
    matrix[0] = [0, 1, -0.5, 1e-30, 3e30]
    return Vectors(WORDS, matrix)


def keyed(some: Vectors):
    from gensim.models import KeyedVectors

    held = KeyedVectors(some.dim)
    held.add_vectors(list(some.words), some.matrix)
    return held


def equal(left: Vectors, right: Vectors) -> None:
    assert left.words == right.words
    assert left.matrix.dtype == np.float32 and np.array_equal(left.matrix, right.matrix)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_bit_for_bit(some, tmp_path, name):
    write(tmp_path / name, some)
    equal(read(tmp_path / name), some)
    before = (tmp_path / name).read_bytes()
    write(tmp_path / name, some)
    assert (tmp_path / name).read_bytes() == before
    assert name.endswith(".gz") == before.startswith(b"\x1f\x8b")


@gensim
@pytest.mark.parametrize("name", NAMES)
def test_gensim_reads_what_is_written(some, tmp_path, name):
    from gensim.models import KeyedVectors

    write(tmp_path / name, some)
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / name), binary=".bin" in name)
    equal(Vectors(tuple(theirs.index_to_key), theirs.vectors), some)


@gensim
@pytest.mark.parametrize("name", NAMES)
def test_what_gensim_writes_is_read_whatever_it_is_called(some, tmp_path, name):
    path = tmp_path / name
    keyed(some).save_word2vec_format(str(path), binary=".bin" in name)
    equal(read(path), some)
    other = tmp_path / "vectors"
    path.rename(other)
    equal(read(other), some)


@gensim
def test_text_is_the_text_that_gensim_writes(some, tmp_path):
    write(tmp_path / "ours.txt", some)
    keyed(some).save_word2vec_format(str(tmp_path / "theirs.txt"))
    assert (tmp_path / "ours.txt").read_bytes() == (tmp_path / "theirs.txt").read_bytes()


@gensim
def test_gensims_own_files_go_both_ways_through_gensim(some, tmp_path):
    from gensim.models import KeyedVectors, Word2Vec

    write(tmp_path / "ours.kv", some)
    assert [path.name for path in tmp_path.iterdir()] == ["ours.kv"]
    theirs = KeyedVectors.load(str(tmp_path / "ours.kv"))
    equal(Vectors(tuple(theirs.index_to_key), theirs.vectors), some)
    keyed(some).save(str(tmp_path / "theirs.kv"))
    equal(read(tmp_path / "theirs.kv", trusted=True), some)
    model = Word2Vec([["서울", "한국"]], vector_size=4, min_count=1, workers=1)
    model.save(str(tmp_path / "whole.model"))
    equal(
        read(tmp_path / "whole.model", trusted=True), Vectors(tuple(model.wv.index_to_key), model.wv.vectors)
    )


class Harm:
    """What runs something when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was opened",))


def test_a_pickle_is_not_opened_unless_it_is_trusted(tmp_path):
    (tmp_path / "bad.kv").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(UserError, match=r"bad\.kv: is a pickle.*--trusted"):
        read(tmp_path / "bad.kv")


@gensim
def test_a_pickle_of_something_else_is_told(tmp_path):
    (tmp_path / "other.kv").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UserError, match=r"other\.kv: gensim does not open it as word vectors"):
        read(tmp_path / "other.kv", trusted=True)


def test_without_gensim_its_files_ask_for_it(some, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gensim.models", None)
    with pytest.raises(UserError, match=r"needs the package gensim; pip install 'glassformer\[words\]'"):
        write(tmp_path / "a.kv", some)


def test_words_are_composed_as_the_tokenizer_composes_them(tmp_path, capsys):
    apart = unicodedata.normalize("NFD", "서울")
    (tmp_path / "a.txt").write_text(f"3 1\n{apart} 1\n한국 2\n서울 3\n", "utf-8")
    found = read(tmp_path / "a.txt")
    assert found.words == ("서울", "한국") and found.matrix[:, 0].tolist() == [1, 2]
    assert "1 words differ from others in Unicode form alone" in capsys.readouterr().err


def test_spaces_at_line_ends_a_mark_and_dos_lines_are_let_pass(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeff2 2 \r\n서울 1 2 \r\n한국 3e-1 -4\r\n\r\n".encode())
    found = read(tmp_path / "a.txt")
    assert found.words == ("서울", "한국")
    assert np.array_equal(found.matrix, np.array([[1, 2], [0.3, -4]], np.float32))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": is empty"),
        ("서울 0.1 0.2 0.3\n", r":1: the header is missing: this line has 3 values after '서울'.*'50000 3'"),
        ("words\n", r":1: the header is missing; a file of vectors begins"),
        ("0 3\n", ":1: the header says 0 words of 3 values"),
        ("2 0\n", ":1: the header says 2 words of 0 values"),
        ("999999999999 999999\n서울 1\n", ":1: the header says 999999999999 words .* does not fit"),
        ("2 2\n서울 1 2\n한국 1\n", ":3: 1 values follow '한국', but the header says 2"),
        ("2 2\n서울 1 2\n한국 1 2 3\n", ":3: 3 values follow '한국', but the header says 2"),
        ("2 2\n서울 1 2\n서울 3 4\n", r":3: the word '서울' stands here again, first in .*a\.txt:2"),
        ("2 2\n서울 1 2\n한국 nan 1\n", ":3: the vector of '한국' has values that are not finite"),
        ("2 2\n서울 1 2\n한국 1 1e99\n", ":3: the vector of '한국' has values that are not finite"),
        ("2 2\n서울 1 2\n한국 1 많이\n", ":3: '많이' is not a number"),
        ("2 2\n서울 1 2\n", ": ends after 1 words, but the header says 2"),
        ("1 2\n서울 1 2\n한국 1 2\n", ":3: more follows, but the header says 1 words"),
        ("2 2\n서울 1 2\n\n한국 1 2\n", ":3: the line is empty"),
        ("2 2\n서울 1 2\n 1 2\n", ":3: there is no word before the values"),
    ],
)
def test_what_is_wrong_in_a_text_is_told_with_its_line(tmp_path, text, said):
    (tmp_path / "a.txt").write_text(text, "utf-8")
    with pytest.raises(UserError, match=rf"a\.txt{said}"):
        read(tmp_path / "a.txt")


def test_other_text_than_utf_8_is_told_with_its_line(tmp_path):
    (tmp_path / "a.txt").write_bytes("2 2\n서울 1 2\n".encode() + "한국 1 2\n".encode("cp949"))
    with pytest.raises(UserError, match=r"a\.txt:3: not valid UTF-8"):
        read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[:-9], r"a\.bin: ends after 6 words, but the header says 7"),
        (lambda whole: whole[:20], r"a\.bin: ends after 0 words, but the header says 7"),
        (lambda whole: whole + b"x", r"a\.bin:word 8: more follows, but the header says 7 words"),
        (lambda whole: whole.replace(b"7 5\n", b"6 5\n"), r"a\.bin:word 7: more follows, .* says 6 words"),
        (lambda whole: whole.replace(b"7 5\n", b"7 4\n"), r"a\.bin:word \d: .* is not valid UTF-8"),
        (lambda whole: whole.replace("한국".encode(), b"\xff\xfe"), r"a\.bin:word 2: .* is not valid UTF-8"),
        (
            lambda whole: whole.replace("한국".encode(), "서울".encode()),
            r"a\.bin:word 2: .*'서울' stands here",
        ),
        (lambda whole: whole.replace(b"\nking ", b"\n "), r"a\.bin:word 5: there is no word"),
    ],
)
def test_what_is_wrong_in_a_binary_file_is_told_with_its_word(some, tmp_path, damage, said):
    path = tmp_path / "a.bin"
    write(path, some)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=said):
        read(path)


def test_values_that_are_no_numbers_are_told_in_a_binary_file_too(some, tmp_path):
    some.matrix[3, 2] = np.nan
    write(tmp_path / "a.bin", some)
    with pytest.raises(UserError, match=r"a\.bin:word 4: the vector of '일본' has values"):
        read(tmp_path / "a.bin")


def test_a_zipped_file_cut_short_is_told(some, tmp_path):
    for name in ("a.txt.gz", "a.bin.gz"):
        whole = gzip.compress(b"".join([b"1 400\n", b"a ", b"0.5 " * 400]))
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match="gzip file is damaged or cut short"):
            read(tmp_path / name)
    with pytest.raises(UserError, match=r"none\.txt: no such file"):
        read(tmp_path / "none.txt")


def test_a_binary_file_is_read_in_chunks_of_any_size(some, tmp_path, monkeypatch):
    write(tmp_path / "a.bin", some)
    monkeypatch.setattr(vectors, "_CHUNK", 7)
    equal(read(tmp_path / "a.bin"), some)


def test_a_binary_file_of_few_values_is_not_taken_for_text(tmp_path):
    chance = np.random.default_rng(1)
    for seed in range(30):
        one = Vectors(("서울", "한국"), chance.normal(size=(2, 3)).astype(np.float32))
        write(tmp_path / f"{seed}.bin", one)
        equal(read(tmp_path / f"{seed}.bin"), one)


def test_a_name_says_the_format_or_is_refused(tmp_path):
    assert [form_of(tmp_path / name) for name in ("a.VEC.gz", "b.bin", "c.kv")] == [
        "text",
        "binary",
        "gensim",
    ]
    for name in ("a.json", "a", "a.kv.gz", ".gz"):
        with pytest.raises(UserError, match=r"the name says no format; end it in \.txt"):
            form_of(tmp_path / name)


def test_a_word_with_a_space_cannot_be_written(tmp_path):
    for word in ("뉴 욕", "", "뉴\u00a0욕"):
        with pytest.raises(UserError, match="has a space, which this format cannot hold"):
            write(tmp_path / "a.txt", Vectors((word,), np.ones((1, 2), np.float32)))
    assert not (tmp_path / "a.txt").exists()


def test_nearest_are_the_greatest_cosines_without_those_that_are_no_answer(some):
    cosines = some.unit @ some.unit[1]
    order = [place for place in np.argsort(-cosines) if place != 1]
    (found,) = some.nearest(some.matrix[1:2], 3, [[1]])
    assert [place for place, _ in found] == order[:3]
    assert [cosine for _, cosine in found] == pytest.approx(cosines[order[:3]].tolist())
    assert len(some.nearest(some.matrix[1:2], 99, [[1]])[0]) == len(WORDS) - 1
    assert {place for place, _ in some.nearest(some.matrix[1:2], 99, [[1]], first=3)[0]} == {0, 2}


def test_zero_has_no_direction(some):
    some.matrix[2] = 0
    assert not some.unit[2].any()
    assert np.allclose(np.linalg.norm(np.delete(some.unit, 2, 0), axis=1), 1)


def test_words_and_vectors_must_be_as_many():
    with pytest.raises(UserError, match="there are 1 words and 2 vectors"):
        Vectors(("서울",), np.ones((2, 2), np.float32))
