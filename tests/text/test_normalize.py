"""Normal forms: what is taken apart comes back exactly."""

import unicodedata

from hypothesis import given
from text_samples import any_text

from glassformer.text.normalize import compose, normalizer

SYLLABLES = "".join(map(chr, range(0xAC00, 0xD7A4)))


def test_every_hangul_syllable_becomes_jamo_and_comes_back() -> None:
    apart = normalizer(jamo=True, front=False)
    for syllable in SYLLABLES:
        jamo = apart.normalize_str(syllable)
        assert len(jamo) in (2, 3)
        assert all(0x1100 <= ord(letter) < 0x1200 for letter in jamo)
        assert compose(jamo) == syllable


@given(any_text())
def test_jamo_of_any_text_compose_to_its_nfc(text: str) -> None:
    assert compose(normalizer(jamo=True, front=False).normalize_str(text)) == unicodedata.normalize(
        "NFC", text
    )


@given(any_text())
def test_without_jamo_text_is_nfc(text: str) -> None:
    assert normalizer(front=False).normalize_str(text) == unicodedata.normalize("NFC", text)


def test_compatibility_jamo_and_loose_jamo_stay_what_they_are() -> None:
    apart = normalizer(jamo=True, front=False)
    for text in ("ㅋㅋㅋ", "ㅏ", "ᄒ ᅡ ᆫ", "ᆫᄒ", "ᄒ\u200bᅡ"):
        assert compose(apart.normalize_str(text)) == text


def test_a_space_goes_in_front_of_text_but_not_of_nothing() -> None:
    assert normalizer().normalize_str("the") == " the"
    assert normalizer().normalize_str("") == ""


def test_lower_case_is_made_on_request() -> None:
    assert normalizer(lowercase=True, front=False).normalize_str("Café ÉTÉ 한국") == "café été 한국"
