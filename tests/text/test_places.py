"""Where pieces stand: every character has one, in order, whatever the tokenizer did to the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, normalizers, pre_tokenizers

from glassformer.base.errors import UserError
from glassformer.text.fast import FastTokenizer, Specials
from glassformer.text.sentencepiece import MarianTokenizer
from glassformer.text.train import TokenizerConfig, train

SENTENCES = [
    "한국어 문장을 읽는다. The quick brown fox",
    "각 café 여우 é",
    "서울은 수도이다 🙂👩‍👩‍👧",
    "tab\there  x\n y",
]
LETTERS = "ab é한국서울은 \t\n.🙂👩‍❤️\u0301\u0323\u1112\u1161\u11ab\u200bİﬁ½"
TEXTS = st.text(alphabet=LETTERS, max_size=24) | st.text(max_size=12)
KINDS = {
    "word": {},
    "character": {},
    "bpe": {"vocab_size": 420},
    "byte_bpe": {"vocab_size": 300},
    "wordpiece": {"vocab_size": 200},
    "unigram": {"vocab_size": 420},
    "jamo": {"name": "bpe", "jamo": True, "vocab_size": 420},
    "lower": {"name": "byte_bpe", "lowercase": True, "vocab_size": 300},
}


@pytest.fixture(scope="module")
def reads() -> Callable[[str], FastTokenizer]:
    """Tokenizers of every kind, and BERT's, which strips accents and takes invisible signs away."""
    made = {
        name: train(
            TokenizerConfig(**({"name": name, "vocab_size": 200, "min_frequency": 1} | said)), SENTENCES * 2
        )
        for name, said in KINDS.items()
    }
    backend = tokenizers.Tokenizer(
        models.WordPiece({"[UNK]": 0, "[SEP]": 1, "한": 2, "e": 3, "##e": 4}, unk_token="[UNK]")
    )
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made["bert"] = FastTokenizer(backend, Specials(1, 1, 1, 0))
    return made.__getitem__


@pytest.mark.parametrize("kind", [*KINDS, "bert"])
@settings(max_examples=40, deadline=None)
@given(text=TEXTS)
def test_every_character_but_spaces_belongs_to_a_piece(
    reads: Callable[[str], FastTokenizer], kind: str, text: str
) -> None:
    (found,) = reads(kind).encode_places([text])
    assert found.ids == reads(kind).encode(text)
    assert len(found.ids) == len(found.starts) == len(found.ends)
    if not found.ids:
        return
    covered = np.zeros(len(text), dtype=bool)
    for start, end in zip(found.starts, found.ends, strict=True):
        assert 0 <= start <= end <= len(text)
        covered[start:end] = True
    for word in re.finditer(r"\S+", text):
        # BERT's normalizer may take a whole word away; of what is left of one nothing is lost.
        kept = covered[word.start() : word.end()]
        assert kept.all() or (kind == "bert" and not kept.any())
    assert (np.diff(found.starts) >= 0).all() and (np.diff(found.ends) >= 0).all()


@pytest.mark.parametrize("kind", [*KINDS, "bert"])
@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(
        st.text(alphabet="ab한국é🙂❤️서울\u0301\u1112\u1161\u11ab", min_size=1, max_size=4),
        min_size=1,
        max_size=6,
    ),
    data=st.data(),
)
def test_words_are_cut_out_again_exactly(
    reads: Callable[[str], FastTokenizer], kind: str, parts: list[str], data: st.DataObject
) -> None:
    # No piece goes beyond a word, so that any run of words is a run of pieces.
    parts = ["z" + part for part in parts]
    text = " \n".join(parts)
    first = data.draw(st.integers(0, len(parts) - 1))
    last = data.draw(st.integers(first, len(parts) - 1))
    start = len(" \n".join([*parts[:first], ""])) if first else 0
    end = len(" \n".join(parts[: last + 1]))
    (found,) = reads(kind).encode_places([text])
    around = found.around(start, end)
    assert around is not None
    assert text[found.starts[around[0]] : found.ends[around[1]]] == text[start:end]


@pytest.mark.parametrize("kind", ["jamo", "byte_bpe", "bpe", "bert"])
def test_what_was_joined_or_cut_inside_a_letter_is_whole(
    reads: Callable[[str], FastTokenizer], kind: str
) -> None:
    apart = unicodedata.normalize("NFD", "한 é")
    (found,) = reads(kind).encode_places([f"{apart} x"])
    assert found.around(0, 1)[0] == 0
    for start, end in ((0, 3), (4, 6)):
        around = found.around(start, end)
        assert (found.starts[around[0]], found.ends[around[1]]) == (start, end)


def test_pieces_of_spaces_stand_for_nothing(reads: Callable[[str], FastTokenizer]) -> None:
    (found, none) = reads("character").encode_places([" a\t ", "  "])
    assert list(zip(found.starts, found.ends, strict=True)) == [(0, 0), (1, 2), (2, 2), (3, 3)]
    assert found.around(0, 4) == (1, 1) and found.around(2, 4) is None
    assert none.around(0, 2) is None


def test_a_sentencepiece_model_says_that_it_does_not_know_the_places() -> None:
    with pytest.raises(UserError, match=r"source\.spm does not tell where its pieces stand"):
        MarianTokenizer(None, {}, {}, "source").encode_places(["a"])
