"""Learning vocabularies: lossless, of the size asked for, and the same every time."""

import os
import random
import subprocess
import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_samples import KINDS, LOSSLESS, SENTENCES, any_text

from glassformer.base.errors import UserError
from glassformer.text.fast import FastTokenizer
from glassformer.text.normalize import compose
from glassformer.text.train import TokenizerConfig, _sample, train, train_pair

Learned = Callable[..., FastTokenizer]
SPECIAL_IDS = {0, 1, 2}


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", LOSSLESS)
@settings(deadline=None)
@given(text=any_text())
def test_any_text_comes_back_exactly(learned: Learned, kind: str, jamo: bool, text: str) -> None:
    tokenizer = learned(kind, jamo=jamo)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == unicodedata.normalize("NFC", text)
    assert SPECIAL_IDS.isdisjoint(ids)
    assert tokenizer.unk_id not in ids


@pytest.mark.parametrize("kind", LOSSLESS)
@given(text=st.text())
def test_code_points_without_a_meaning_come_back_too(learned: Learned, kind: str, text: str) -> None:
    tokenizer = learned(kind, jamo=True)
    assert tokenizer.decode(tokenizer.encode(text)) == compose(text)


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", ["character", "wordpiece"])
@given(data=st.data())
def test_text_of_known_characters_comes_back_exactly(
    learned: Learned, kind: str, jamo: bool, data: st.DataObject
) -> None:
    known = sorted(set(unicodedata.normalize("NFC", "".join(SENTENCES))))
    text = data.draw(st.text(st.sampled_from(known), max_size=30))
    tokenizer = learned(kind, jamo=jamo, character_coverage=1.0)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert SPECIAL_IDS.isdisjoint(ids)


@pytest.mark.parametrize("kind", ["word", "character", "wordpiece"])
@given(text=any_text())
def test_what_is_unknown_becomes_the_unknown_id_and_nothing_else(
    learned: Learned, kind: str, text: str
) -> None:
    assert SPECIAL_IDS.isdisjoint(learned(kind).encode(text))


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_it_learned_from_comes_back_exactly(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind, character_coverage=1.0)
    for text in (*SENTENCES, "  나는  학교에 the school. "):
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("jamo", [False, True])
def test_every_hangul_syllable_comes_back_exactly(learned: Learned, jamo: bool) -> None:
    text = " ".join(map(chr, range(0xAC00, 0xD7A4)))
    for kind in LOSSLESS:
        tokenizer = learned(kind, jamo=jamo)
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_written_in_the_text_are_ordinary_text(learned: Learned, kind: str) -> None:
    # Learning from such text must not make pieces of it either.
    texts = ["a </s> b <pad> <s> <unk> <0x41> c ###a"] * 9
    tokenizer = train(TokenizerConfig(name=kind, vocab_size=600, character_coverage=1.0), texts)
    for text in ("</s>", "a</s>", "<pad><s>", "<unk>", "<0x41>", " </s> ", "##a", "a ###"):
        ids = tokenizer.encode(text)
        assert SPECIAL_IDS.isdisjoint(ids)
        if kind != "word":
            assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("kind", ["word", "bpe", "byte_bpe", "wordpiece", "unigram"])
def test_a_word_is_the_same_piece_at_the_start_and_inside(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    assert tokenizer.encode("the school.") == [
        n for word in ("the", "school") for n in tokenizer.encode(word)
    ] + [tokenizer.encode("school.")[-1]]


def test_jamo_let_pieces_cut_inside_a_syllable() -> None:
    texts = ["갔다 왔다 했다 샀다 봤다 잤다 탔다 났다"] * 20
    whole = train(TokenizerConfig(vocab_size=400), texts)
    apart = train(TokenizerConfig(vocab_size=400, jamo=True), texts)
    assert any("ᆻ다" in piece for piece in apart.pieces(range(apart.vocab_size)))
    assert not any("ᆻ" in piece for piece in whole.pieces(range(whole.vocab_size)))
    assert len(apart.encode("뺐다")) < len(whole.encode("뺐다")) + 3
    assert apart.decode(apart.encode("뺐다")) == "뺐다"


def test_lower_case_is_forgotten_on_request(learned: Learned) -> None:
    tokenizer = learned("bpe", lowercase=True)
    assert tokenizer.encode("The SCHOOL") == tokenizer.encode("the school")
    assert tokenizer.decode(tokenizer.encode("The CAFÉ")) == "the café"


@pytest.mark.parametrize("kind", KINDS)
def test_a_vocabulary_is_never_larger_than_asked(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind, vocab_size=390)
    assert tokenizer.vocab_size <= 390
    assert tokenizer.backend.get_vocab_size() == tokenizer.vocab_size
    assert sorted(tokenizer.backend.get_vocab().values()) == list(range(tokenizer.vocab_size))


def test_one_sentence_says_when_the_text_gives_fewer_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = train(TokenizerConfig(vocab_size=8000), SENTENCES)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"The vocabulary has {tokenizer.vocab_size} pieces, not 8000" in said


def test_nothing_is_said_when_the_size_is_reached(capsys: pytest.CaptureFixture[str]) -> None:
    tokenizer = train(TokenizerConfig(vocab_size=360, min_frequency=1), SENTENCES * 2)
    assert tokenizer.vocab_size == 360
    assert capsys.readouterr().err == ""


_TRAIN_AND_SHOW = """
from glassformer.text.train import TokenizerConfig, train
import random
chance = random.Random(3)
syllables = [chr(0xAC00 + 37 * n) for n in range(90)]
texts = [" ".join("".join(chance.choices(syllables, k=chance.randint(1, 4))) + chance.choice(["", "ing"])
                  for _ in range(6)) for _ in range(300)]
for kind in ("word", "character", "bpe", "byte_bpe", "wordpiece", "unigram"):
    print(train(TokenizerConfig(name=kind, vocab_size=600), texts).fingerprint)
"""


def test_every_process_learns_the_same_vocabulary() -> None:
    # Ties abound here, and the order of hashing differs between processes.
    command = [sys.executable, "-c", _TRAIN_AND_SHOW]
    shown = [
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        )
        for seed in ("1", "2")
    ]
    assert len(set(shown[0].stdout.split())) == len(KINDS)
    assert shown[0].stdout == shown[1].stdout


def test_a_shared_vocabulary_is_one_tokenizer_and_separate_ones_are_two() -> None:
    pairs = [("나는 학교에 갑니다.", "I go to school.")] * 5
    shared = train_pair(TokenizerConfig(vocab_size=400), pairs)
    apart = train_pair(TokenizerConfig(vocab_size=400, shared=False), iter(pairs))
    assert shared.shared
    assert shared.source is shared.target
    assert not apart.shared
    assert "▁school" in apart.target.pieces(range(apart.target.vocab_size))
    assert "▁school" not in apart.source.pieces(range(apart.source.vocab_size))
    assert apart.fingerprint != shared.fingerprint


@pytest.mark.parametrize("texts", [[], [""], [" ", "\n\t"]])
def test_nothing_to_learn_from_is_said(texts: list[str]) -> None:
    for kind in KINDS:
        with pytest.raises(UserError, match="no text to learn"):
            train(TokenizerConfig(name=kind), texts)


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "wordpiece"])
def test_a_vocabulary_too_small_for_its_characters_is_said(kind: str) -> None:
    with pytest.raises(UserError, match=r"tokenizer.vocab_size 100 is too small for .*raise it to \d+"):
        train(TokenizerConfig(name=kind, vocab_size=100), SENTENCES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_letter_is_enough_text(kind: str) -> None:
    tokenizer = train(TokenizerConfig(name=kind, min_frequency=1), ["a"])
    assert tokenizer.decode(tokenizer.encode("a")) == "a"


def test_rare_characters_leave_no_pieces_behind() -> None:
    texts = ["the school"] * 1000 + ["the 뷁 sch뷁ool"]
    tokenizer = train(TokenizerConfig(vocab_size=300, character_coverage=0.999), texts)
    assert not any("뷁" in piece for piece in tokenizer.pieces(range(tokenizer.vocab_size)))
    assert tokenizer.decode(tokenizer.encode("뷁")) == "뷁"


def test_a_sample_is_even_and_settled() -> None:
    drawn = _sample(iter(range(1000)), 100)
    assert drawn == _sample(range(1000), 100)
    assert len(set(drawn)) == 100
    assert 350 < sum(drawn) / 100 < 650
    assert _sample("abc", 5) == ["a", "b", "c"]


def test_the_order_of_sentences_does_not_matter() -> None:
    texts = [*SENTENCES * 3]
    other = texts.copy()
    random.Random(0).shuffle(other)
    for kind in KINDS:
        config = TokenizerConfig(name=kind, vocab_size=500)
        assert train(config, texts).fingerprint == train(config, other).fingerprint
