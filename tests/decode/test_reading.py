"""What is shown while it is written: never half a letter, never taken back, and in the end the whole text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

import pytest

from glassformer.decode.reading import Reading, Showing, told
from glassformer.text.tokenizer import Tokenizer
from glassformer.text.train import TokenizerConfig, train

regex = pytest.importorskip("regex")

TEXTS = [
    "나는 학교에 갑니다. 값없이 읽었닭!",
    "I went to the café; naïve  Ångström isn't far.",
    "👩\u200d👩\u200d👧 가족 👍🏽 🇰🇷🇺🇸 ❤️ 1\ufe0f\u20e3 끝",
    "줄\n하나\r\n둘\n\n셋 ",
    "e\u0301 ㄱㄴ \u1112\u1161\u11ab 한글",
    "नमस्ते クﾞ ภาษาไทย กำ",
]
KINDS = [("bpe", False), ("bpe", True), ("byte_bpe", False), ("byte_bpe", True), ("unigram", True)]


@cache
def _tokenizer(kind: str, jamo: bool) -> Tokenizer:
    config = TokenizerConfig(name=kind, vocab_size=330, jamo=jamo)
    return train(config, TEXTS[:2] * 3, frame="none")


def _pieces(reading: Reading, tokens: Sequence[int], *, complete: bool) -> tuple[list[str], str]:
    """The text as it was shown, and as it was told at the end."""
    showing = Showing(reading)
    pieces = [showing.piece(tokens[:length]) for length in range(1, len(tokens) + complete)]
    text, _ = told(reading, tokens, complete=complete)
    return [piece for piece in (*pieces, showing.rest(text)) if piece], text


def _clusters(text: str) -> set[int]:
    ends, place = {0}, 0
    for cluster in regex.findall(r"\X", text):
        place += len(cluster)
        ends.add(place)
    return ends


def _unbroken(pieces: list[str]) -> bool:
    """Whether pieces end where clusters end."""
    ends = _clusters("".join(pieces))
    return all(len("".join(pieces[:count])) in ends for count in range(len(pieces)))


@pytest.mark.parametrize(("kind", "jamo"), KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_pieces_join_to_the_text_and_break_no_cluster(kind: str, jamo: bool, text: str) -> None:
    tokenizer = _tokenizer(kind, jamo)
    tokens = tokenizer.encode(text)
    want = tokenizer.decode(tokens)
    for complete in (False, True):
        pieces, whole = _pieces(Reading(tokenizer, ()), tokens, complete=complete)
        assert whole == "".join(pieces) == want
        assert len(pieces) > 2
        assert _unbroken(pieces)
        assert all("\ufffd" not in piece for piece in pieces)


@pytest.mark.parametrize(("kind", "jamo"), KINDS)
def test_text_that_is_cut_off_anywhere_ends_with_a_whole_letter(kind: str, jamo: bool) -> None:
    tokenizer = _tokenizer(kind, jamo)
    for text in TEXTS:
        tokens = tokenizer.encode(text)
        for length in random.Random(5).choices(range(1, len(tokens)), k=7):
            pieces, whole = _pieces(Reading(tokenizer, ()), tokens[:length], complete=False)
            assert whole == "".join(pieces)
            assert "\ufffd" not in whole


@pytest.mark.parametrize(("kind", "jamo"), KINDS)
def test_whatever_a_model_writes_the_pieces_join_to_what_is_told(kind: str, jamo: bool) -> None:
    tokenizer = _tokenizer(kind, jamo)
    chance = random.Random(3)
    stops = ("가", "\n", "ab", "\ufffd", "요.")
    for trial in range(200):
        tokens = [chance.randrange(tokenizer.vocab_size) for _ in range(chance.randint(1, 12))]
        prompt = tokenizer.encode(chance.choice(TEXTS))
        reading = Reading(tokenizer, prompt, stops[: trial % 6])
        pieces, whole = _pieces(reading, tokens, complete=bool(trial % 2))
        assert whole == "".join(pieces), tokens


@pytest.mark.parametrize(("kind", "jamo"), KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_prompt_and_continuation_join_to_the_whole_text(kind: str, jamo: bool, text: str) -> None:
    tokenizer = _tokenizer(kind, jamo)
    tokens = tokenizer.encode(text)
    whole = tokenizer.decode(tokens)
    for length in range(1, len(tokens)):
        before = tokenizer.decode(tokens[:length])
        if whole.startswith(before):
            assert before + Reading(tokenizer, tokens[:length]).whole(tokens[length:]) == whole


@pytest.mark.parametrize(("kind", "jamo"), KINDS)
@pytest.mark.parametrize("stop", ["학교", "니다.", "에 ", "\n\n", "👍🏽", "없", "가"])
def test_a_text_ends_before_its_stop_string_and_shows_nothing_of_it(kind: str, jamo: bool, stop: str) -> None:
    tokenizer = _tokenizer(kind, jamo)
    for text in TEXTS:
        tokens = tokenizer.encode(text)
        want = tokenizer.decode(tokens).partition(stop)[0]
        reading = Reading(tokenizer, (), ("절대", stop))
        ended = [length for length in range(len(tokens) + 1) if reading.stops(tokens[:length])]
        taken = tokens[: ended[0]] if ended else tokens
        pieces, whole = _pieces(reading, taken, complete=not ended)
        assert whole == "".join(pieces) == want
        assert bool(ended) or stop not in tokenizer.decode(tokens[:-1])


def test_a_syllable_that_may_still_grow_is_not_yet_a_stop_string() -> None:
    tokenizer = _tokenizer("bpe", True)
    reading = Reading(tokenizer, (), ("가",))
    tokens = tokenizer.encode("나각")
    assert not any(reading.stops(tokens[:length]) for length in range(len(tokens) + 1))
    assert told(reading, tokens, complete=True) == ("나각", False)
    tokens = tokenizer.encode("나가.")
    assert [reading.stops(tokens[:-1]), reading.stops(tokens)] == [False, True]
    assert told(reading, tokens[:-1], complete=True) == ("나", True)


def test_of_several_stop_strings_the_first_in_the_text_counts() -> None:
    tokenizer = _tokenizer("byte_bpe", False)
    reading = Reading(tokenizer, (), ("far", "the café", "café"))
    assert told(reading, tokenizer.encode(TEXTS[1]), complete=True) == ("I went to ", True)


def test_the_beginning_of_a_stop_string_is_held_back_until_it_is_none() -> None:
    tokenizer = _tokenizer("byte_bpe", False)
    reading = Reading(tokenizer, (), ("to the zoo",))
    assert reading.shown("I went to the", 0) == len("I went ")
    assert reading.shown("I went to them", 0) == len("I went ")
    assert reading.shown("I went to them ", 0) == len("I went to them")
    assert reading.shown("I went to the zoo and", 0) == len("I went ")
