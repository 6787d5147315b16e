"""Which pieces go on a word: what masks whole words, in Korean and English."""

from collections.abc import Callable

import pytest
import tokenizers
from text_samples import KINDS, SENTENCES
from tokenizers import decoders, models, pre_tokenizers

from glassformer.text.fast import FastTokenizer, Specials

Learned = Callable[..., FastTokenizer]
SPECIAL = Specials(pad_id=0, bos_id=0, eos_id=0, unk_id=0)


def _words(tokenizer: FastTokenizer, text: str) -> list[str]:
    """The text in words as the table of continuing pieces sees them."""
    table, groups = tokenizer.continues(), []
    for number in tokenizer.encode(text):
        if groups and table[number]:
            groups[-1].append(number)
        else:
            groups.append([number])
    return [tokenizer.decode(group).strip() for group in groups]


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_words_are_whole_in_korean_and_english(learned: Learned, kind: str, jamo: bool) -> None:
    tokenizer = learned(kind, jamo=jamo)
    table = tokenizer.continues()
    assert table.shape == (tokenizer.vocab_size,)
    assert not table[list(tokenizer.specials_ids())].any()
    found = _words(tokenizer, "나는 학교에 갑니다. reading the book, 친구는")
    assert [word for word in found if word] == [
        "나는",
        "학교에",
        "갑니다",
        ".",
        "reading",
        "the",
        "book",
        ",",
        "친구는",
    ]


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "wordpiece"])
def test_rare_words_in_many_pieces_are_whole(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    assert len(tokenizer.encode("libraryschool")) > 1
    assert "libraryschool" in _words(tokenizer, "the libraryschool is")
    assert "도서관학교에서" in _words(tokenizer, "나는 도서관학교에서 갑")


def test_with_marks_only_marked_pieces_go_on() -> None:
    vocabulary = {"[UNK]": 0, "play": 1, "##ing": 2, "'": 3, "##.": 4, "##": 5}
    backend = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    table = FastTokenizer(backend, SPECIAL).continues()
    assert table.tolist() == [False, False, True, False, True, False]


def test_bytes_of_a_letter_go_on_and_a_space_begins() -> None:
    pieces = ["</s>", "Ġthe", "the", "Ġ", "Ċ", ".", "ì", "Ģ", "Ġí", "íķľ"]
    backend = tokenizers.Tokenizer(models.BPE({piece: at for at, piece in enumerate(pieces)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    goes_on = [
        piece for piece, on in zip(pieces, FastTokenizer(backend, SPECIAL).continues(), strict=True) if on
    ]
    assert goes_on == ["the", "ì", "Ģ", "íķľ"]


def test_what_was_learned_is_the_same_for_all_sentences(learned: Learned) -> None:
    tokenizer = learned("bpe")
    for sentence in SENTENCES[:4]:
        joined = "".join(_words(tokenizer, sentence))
        assert joined == sentence.replace(" ", "")
