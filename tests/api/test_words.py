"""Words looked into: near ones and sums of them, as gensim finds them, from files and from any model."""

import importlib.util
import unicodedata

import numpy as np
import pytest
import torch
from tiny_family import write_bert, write_gpt, write_vit
from tiny_folder import write_model

import glassformer as gf
from glassformer.api.words import Neighbour, WordModel, Words, spellings
from glassformer.base.errors import UserError
from glassformer.hub.folder import save
from glassformer.hub.tables import words_of
from glassformer.hub.vectors import Vectors, read, write
from glassformer.models import gpt
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

gensim = pytest.mark.skipif(importlib.util.find_spec("gensim") is None, reason="needs the package gensim")

NAMES = ("서울", "한국", "도쿄", "일본", "파리", "프랑스", "사과", "포도")


def capitals() -> Vectors:
    """A space in which a country is its capital and one step more."""
    matrix = np.random.default_rng(0).normal(scale=0.01, size=(8, 5)).astype(np.float32)
    for place in range(3):
        matrix[2 * place, place] += 1
        matrix[2 * place + 1, place] += 1
        matrix[2 * place + 1, 3] += 1
    matrix[6:, 4] += 1
    return Vectors(NAMES, matrix)


@pytest.fixture
def words():
    return Words(capitals(), "here")


@gensim
def test_neighbours_and_analogies_are_those_of_gensim():
    from gensim.models import KeyedVectors

    matrix = np.random.default_rng(1).normal(size=(40, 7)).astype(np.float32)
    held = KeyedVectors(7)
    names = [f"말{number}" for number in range(40)]
    held.add_vectors(names, matrix)
    ours = Words(Vectors(tuple(names), matrix), "here")
    assert ours.similarity("말1", "말2") == pytest.approx(held.similarity("말1", "말2"), abs=1e-6)
    for found, theirs in (
        (ours.neighbours("말3"), held.most_similar("말3")),
        (ours.neighbours(matrix[3] * 2, 5), held.similar_by_vector(matrix[3] * 2, 5)),
        (ours.analogy(["말1", "말2"], ["말3"], 40), held.most_similar(["말1", "말2"], ["말3"], 40)),
        (ours.analogy([], ["말3"], 3), held.most_similar([], ["말3"], 3)),
    ):
        assert [one.word for one in found] == [word for word, _ in theirs]
        assert [one.similarity for one in found] == pytest.approx([cosine for _, cosine in theirs], abs=1e-6)


def test_an_analogy_is_answered_by_adding_and_taking_away(words):
    assert words.analogy(["서울", "일본"], ["한국"])[0].word == "도쿄"
    (found,) = words.asked(["서울", "-", "한국", "+", "일본"], top_k=2)
    assert found.question == "서울 - 한국 + 일본"
    assert found.found == tuple(words.analogy(["서울", "일본"], ["한국"], 2))
    assert [one.found for one in words.asked(["서울 - 한국 + 일본"], 2)] == [found.found]
    assert next(words.asked(["-", "한국", "+", "일본", "+", "서울"], 2)).found == found.found


def test_each_word_that_is_asked_for_has_its_neighbours(words):
    first, second = words.asked(["서울", "사과"], top_k=2)
    assert second.found[0].word == "포도" and len(first.found) == 2
    assert second.as_json() == {
        "question": "사과",
        "neighbours": [{"word": one.word, "similarity": one.similarity} for one in second.found],
    }
    assert list(second.lines()) == ["사과", *(f"  {one.similarity:.4f}  {one.word}" for one in second.found)]
    assert list(words.asked([])) == []


def test_words_are_found_in_whichever_form_they_are_typed(words):
    apart = unicodedata.normalize("NFD", "서울")
    assert apart != "서울" and apart in words and "부산" not in words
    assert words.similarity(apart, "서울") == pytest.approx(1)
    assert np.array_equal(words.vector(apart), words.vectors.matrix[0])
    assert len(words) == 8


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda words: words.vector("서올"), "'서올' is not among the 8 words of here; did you mean '서울'"),
        (lambda words: words.analogy(["서울"], ["zzz"]), "'zzz' is not among the 8 words of here$"),
        (lambda words: words.similarity("서울", "뉴욕"), "'뉴욕' is not among"),
        (lambda words: words.analogy([]), "there is no word to look for"),
        (lambda words: words.analogy("서울"), r"write \['서울'\] for one"),
        (lambda words: words.neighbours("서울", 0), "top_k is 0; ask for at least 1 word"),
        (lambda words: words.neighbours(np.ones(3, np.float32)), "has 3 values; those of here have 5"),
        (lambda words: list(words.asked(["서울", "-"])), "'서울 -' is no sum of words"),
        (lambda words: list(words.asked(["서울", "-", "+", "한국"])), "is no sum of words"),
        (lambda words: list(words.asked(["서울", "한국", "+", "일본"])), "is no sum of words"),
        (lambda words: list(words.asked(["+"])), "is no sum of words"),
    ],
)
def test_what_cannot_be_answered_is_told(words, ask, said):
    with pytest.raises(UserError, match=said):
        ask(words)


def test_near_spellings_are_near_letter_by_letter():
    known = ["서울", "서울역", "도서관", "한국어", "Seoul", "seoul"]
    assert spellings("서을", known) == ["서울"]
    assert spellings("한국아", known) == ["한국어"]
    assert spellings("SEOUL", known) == ["Seoul", "seoul"]
    assert spellings("바나나", known) == []


def test_scores_and_files_are_at_hand(words, tmp_path):
    (tmp_path / "pairs.tsv").write_text("서울\t한국\t9\n사과\t포도\t10\n서울\t포도\t1\n", "utf-8")
    assert words.pairs(tmp_path / "pairs.tsv").spearman == pytest.approx(1)
    (tmp_path / "analogies.txt").write_text(": 수도\n한국 서울 일본 도쿄\n", "utf-8")
    assert words.analogies(tmp_path / "analogies.txt").total.right == 1
    words.export(tmp_path / "words.bin")
    again = gf.load_words(tmp_path / "words.bin")
    assert np.array_equal(again.vectors.matrix, words.vectors.matrix) and again.vectors.words == NAMES
    with pytest.raises(UserError, match=r"none\.txt: no such file"):
        gf.load_words(tmp_path / "none.txt")


@pytest.mark.parametrize("write_folder", [write_gpt, write_bert, write_model])
def test_the_table_of_any_model_can_be_looked_into(write_folder, tmp_path):
    folder = write_folder(tmp_path / "model")
    found, model = gf.load_words(folder), gf.load(folder)
    source = model.tokenizers.source
    assert found.vectors.words == tuple(words_of(source))
    (number,) = (place for word, place in words_of(source).items() if word == "a")
    table = next(part for part in model.model.modules() if isinstance(part, torch.nn.Embedding))
    assert np.array_equal(found.vector("a"), table.weight[number].detach().numpy())
    assert isinstance(found.neighbours("a", 3)[0], Neighbour)


def test_a_model_without_words_is_told(tmp_path):
    with pytest.raises(UserError, match="no tokenizer lies beside the model"):
        gf.load_words(write_vit(tmp_path / "model"))


def lower_case(folder):
    texts = ["Seoul 서울 the The city"]
    tokenizer = train(TokenizerConfig(name="word", lowercase=True, min_frequency=1), texts)
    pair = TokenizerPair(tokenizer, tokenizer)
    torch.manual_seed(0)
    model = gpt.Model(gpt.Config(dim=8, depth=1, heads=2, vocab_size=tokenizer.vocab_size))
    save(folder, model, pair)
    return folder


def test_a_model_knows_a_word_as_its_tokenizer_writes_it(tmp_path):
    found = gf.load_words(lower_case(tmp_path / "model"))
    assert "seoul" in found and "SEOUL" in found and "Seo" not in found
    assert np.array_equal(found.vector("Seoul"), found.vector("seoul"))
    found.export(tmp_path / "words.txt")
    assert "SEOUL" not in gf.load_words(tmp_path / "words.txt")
    assert read(tmp_path / "words.txt").words == found.vectors.words


def test_a_model_of_words_is_opened_as_words(tmp_path):
    opened = gf.load(lower_case(tmp_path / "model"))
    found = WordModel(
        opened.model, opened.tokenizers, opened.decoding, "cpu", opened.folder, source=opened.source
    )
    assert isinstance(found, Words) and isinstance(found, gf.Words)
    assert np.array_equal(
        found.vector("SEOUL"), gf.load_words(tmp_path / "model").vectors.matrix[found.vectors.index["seoul"]]
    )
    with pytest.raises(UserError, match=f"is not among the {len(found)} words of {tmp_path / 'model'}"):
        found.vector("부산")
    found.save(tmp_path / "again")
    assert gf.load_words(tmp_path / "again").vectors.words == found.vectors.words


def test_vectors_written_by_hand_can_be_opened(tmp_path):
    write(tmp_path / "a.vec.gz", capitals())
    assert gf.load_words(str(tmp_path / "a.vec.gz")).analogy(["서울", "일본"], ["한국"])[0].word == "도쿄"
