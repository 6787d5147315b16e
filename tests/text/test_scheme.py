"""Cutting: which stretches of text pieces may not cross."""

import pytest

from glassformer.text.scheme import BOS, EOS, PAD, SPECIALS, UNK, splitter


def _cut(text: str, kind: str = "bpe") -> list[str]:
    return [stretch for stretch, _ in splitter(kind).pre_tokenize_str(text)]


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        (" 나는 학교에.", [" 나는", " 학교에", "."]),
        (" café.", [" café", "."]),
        (" API를", [" API", "를"]),
        (" 2024년", [" 2", "0", "2", "4", "년"]),
        (" isn't, IT'S 'tis", [" isn", "'t", ",", " IT", "'S", " '", "tis"]),
        (" a  b ", [" a", " ", " b", " "]),
        (" a\n\n\tb", [" a", "\n\n", "\t", "b"]),
        (" </s>?!", [" <", "/", "s", ">?!"]),
        (" e\u0301te", [" e\u0301te"]),
        (" ❤️‍🔥!", [" ❤️‍🔥!"]),
    ],
)
def test_words_take_their_space_along_and_part_from_signs_and_digits(text: str, stretches: list[str]) -> None:
    assert _cut(text) == stretches


def test_a_number_is_one_word_for_word_tokenizers() -> None:
    assert _cut(" 2024 years", "word") == [" 2024", " years"]


def test_hash_signs_stand_alone_where_they_are_a_mark() -> None:
    assert _cut(" ##ing", "wordpiece") == [" #", "#", "ing"]


def test_no_stretch_is_longer_than_a_lattice_can_carry() -> None:
    for text in ("a" * 500, "한" * 500, " " * 500, "!" * 500, "a" + "\u0301" * 500):
        stretches = _cut(" " + text)
        assert "".join(stretches) == " " + text
        assert max(map(len, stretches)) <= 65


def test_special_ids_are_fixed() -> None:
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert [SPECIALS[i] for i in (PAD, BOS, EOS, UNK)] == ["<pad>", "<s>", "</s>", "<unk>"]
