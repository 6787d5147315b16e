"""Documents read in pieces: the ids of the whole, for tokenizers of ours and of other families."""

import re
from collections.abc import Callable

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from text_samples import KINDS, SENTENCES
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from glassformer.text.fast import FastTokenizer, Specials

Learned = Callable[..., FastTokenizer]
WORDS = (
    "학교에",
    "API를",
    "the",
    "isn't",
    "12",
    "...",
    "👩‍👩‍👧",
    "한",
    "\n",
    "\n\n",
    " ",
    "  ",
    "a\nb",
    "<s>",
    "▁",
)


def _place(text: str) -> int:
    """The last place before a single space between words, 0 when there is none."""
    return max((found.start() for found in re.finditer(r"(?<=\S)(?= \S)", text)), default=0)


def _pieces(text: str, most: int) -> list[tuple[str, bool]]:
    """The text cut as a reader with a small window cuts it."""
    found, rest, begins = [], text, True
    while True:
        size = most
        place = _place(rest[:size])
        while not place and size < len(rest):
            size += most
            place = _place(rest[:size])
        if not place or len(rest) <= most:
            return [*found, (rest, begins)]
        found.append((rest[:place], begins))
        rest, begins = rest[place:], False


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@given(words=st.lists(st.sampled_from(WORDS), max_size=12), most=st.integers(1, 12))
def test_pieces_give_the_ids_of_the_whole(
    learned: Learned, kind: str, jamo: bool, words: list[str], most: int
) -> None:
    tokenizer = learned(kind, jamo=jamo)
    text = " ".join(words)
    rows = tokenizer.encode_running(_pieces(text, most))
    assert [number for row in rows for number in row] == tokenizer.encode(text)


def _foreign(kind: str) -> FastTokenizer:
    backend = tokenizers.Tokenizer(models.BPE())
    alphabet: list[str] = []
    if kind == "llama":
        backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif kind == "metaspace":
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    else:
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=kind == "prefixed")
        backend.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=["</s>"], initial_alphabet=alphabet, show_progress=False
    )
    words = [word for sentence in SENTENCES for word in sentence.split()]
    backend.train_from_iterator(words if kind == "llama" else SENTENCES, trainer)
    return FastTokenizer(backend, Specials(pad_id=0, bos_id=0, eos_id=0, unk_id=None))


@pytest.mark.parametrize("kind", ["llama", "metaspace", "gpt2", "prefixed"])
def test_pieces_give_the_ids_of_the_whole_in_other_families(kind: str) -> None:
    tokenizer = _foreign(kind)
    text = " ".join(SENTENCES) + "\n\nthe  library\n" + SENTENCES[0]
    for most in (3, 10, 40):
        pieces = _pieces(text, most)
        assert len(pieces) > 3
        rows = tokenizer.encode_running(pieces)
        assert [number for row in rows for number in row] == tokenizer.encode(text)


def test_documents_that_begin_stand_for_themselves(learned: Learned) -> None:
    tokenizer = learned("bpe")
    first, second = tokenizer.encode_running([(SENTENCES[0], True), (SENTENCES[1], True)])
    assert [first, second] == tokenizer.encode_batch(SENTENCES[:2])
    assert tokenizer.encode_running([]) == []
