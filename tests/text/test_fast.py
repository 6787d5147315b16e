"""The tokenizer at work: batches, pieces for a reader, words, files, other processes."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from text_samples import KINDS, LOSSLESS, SENTENCES, any_text

from glassformer.base.errors import UserError
from glassformer.text.fast import FastTokenizer
from glassformer.text.normalize import compose
from glassformer.text.tokenizer import Tokenizer, load_tokenizer

Learned = Callable[..., FastTokenizer]
ODD = (
    "",
    " ",
    "  a  b ",
    "\t나는\n\nb ",
    "▁ ▁a",
    "</s> <pad> <0x41> <unk>",
    "👩‍👩‍👧 ❤️",
    "ᄒ ᅡ ᆫ ㅋㅋ 한",
    ".n't 's",
)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_other_rooms_call_a_tokenizer(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    assert isinstance(tokenizer, Tokenizer)
    assert tokenizer.kind == kind
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.unk_id) == (0, 1, 2, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_what_each_text_gives_alone(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind, jamo=True)
    rows = tokenizer.encode_batch([*SENTENCES, *ODD])
    assert rows == [tokenizer.encode(text) for text in (*SENTENCES, *ODD)]
    assert tokenizer.decode_batch(rows) == [tokenizer.decode(row) for row in rows]
    assert tokenizer.encode_batch([]) == tokenizer.decode_batch([]) == []


@pytest.mark.parametrize("call", ["encode_batch", "encode_places"])
def test_half_a_character_is_told_in_a_sentence(learned: Learned, call: str) -> None:
    tokenizer = learned("bpe")
    with pytest.raises(UserError, match=r"^the text 'b\\udcff' holds half a character"):
        getattr(tokenizer, call)(["a", "b\udcff"])
    with pytest.raises(UserError, match="holds half a character"):
        tokenizer.encode("\ud83d")
    with pytest.raises(TypeError):
        getattr(tokenizer, call)([3])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_nothing(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""
    assert tokenizer.pieces([]) == []
    assert tokenizer.words("") == []


@pytest.mark.parametrize("kind", KINDS)
def test_special_ids_are_dropped_from_the_text(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    ids = tokenizer.encode(SENTENCES[0])
    assert tokenizer.decode([1, *ids, 2, 0, 0]) == tokenizer.decode(ids) == SENTENCES[0]
    assert tokenizer.pieces([0, 1, 2, 3]) == ["<pad>", "<s>", "</s>", "<unk>"]


def test_ids_beyond_the_vocabulary_give_no_text(learned: Learned) -> None:
    tokenizer = learned("bpe")
    assert tokenizer.decode([tokenizer.vocab_size + 5]) == ""
    assert tokenizer.pieces([tokenizer.vocab_size + 5]) == [""]


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_pieces_are_readable_korean(learned: Learned, kind: str, jamo: bool) -> None:
    tokenizer = learned(kind, jamo=jamo)
    shown = "".join(tokenizer.pieces(tokenizer.encode("나는 학교에서 reading")))
    assert compose(shown) == "▁나는▁학교에서▁reading"


@pytest.mark.parametrize("kind", LOSSLESS)
def test_bytes_of_a_rare_character_are_shown_as_bytes(learned: Learned, kind: str) -> None:
    tokenizer = learned(kind)
    shown = "".join(tokenizer.pieces(tokenizer.encode("뷁"))).removeprefix("▁")
    assert shown == "<0xEB><0xB7><0x81>"


_PLAIN = st.lists(
    st.sampled_from(["나는", "학교에서,", "café.", "뷁", "👩‍👩‍👧", "x", "2024년", '"the']), max_size=8
)


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", LOSSLESS)
@given(words=_PLAIN, space=st.sampled_from([" ", "  ", "\t", " \n"]))
def test_ids_know_their_word(learned: Learned, kind: str, jamo: bool, words: list[str], space: str) -> None:
    tokenizer = learned(kind, jamo=jamo)
    text = space.join(words)
    ids, owners = tokenizer.encode(text), tokenizer.words(text)
    assert len(ids) == len(owners)
    assert owners == sorted(owners)
    for index, word in enumerate(words):
        mine = [number for number, owner in zip(ids, owners, strict=True) if owner == index]
        assert tokenizer.decode(mine).strip() == word


@pytest.mark.parametrize("kind", KINDS)
@given(text=any_text())
def test_every_id_of_any_text_has_a_word(learned: Learned, kind: str, text: str) -> None:
    tokenizer = learned(kind, jamo=True)
    owners = tokenizer.words(text)
    assert len(owners) == len(tokenizer.encode(text))
    assert all(0 <= owner < max(len(text.split()), 1) for owner in owners)


@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_opens_as_the_same(learned: Learned, kind: str, jamo: bool, tmp_path: Path) -> None:
    tokenizer = learned(kind, jamo=jamo)
    tokenizer.save(tmp_path / "new")
    opened = load_tokenizer(tmp_path / "new")
    assert opened.fingerprint == tokenizer.fingerprint
    assert (opened.kind, opened.vocab_size) == (kind, tokenizer.vocab_size)
    assert opened.encode_batch([*SENTENCES, *ODD]) == tokenizer.encode_batch([*SENTENCES, *ODD])
    opened.save(tmp_path / "again")
    for path in (tmp_path / "new").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("architecture", [None, "marian", "gpt2"])
@pytest.mark.parametrize("jamo", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_transformers_opens_it_and_gives_the_same_ids_and_texts(
    learned: Learned, kind: str, jamo: bool, architecture: str | None, tmp_path: Path
) -> None:
    tokenizer = learned(kind, jamo=jamo)
    tokenizer.save(tmp_path)
    if architecture is not None:
        (tmp_path / "config.json").write_text(json.dumps({"model_type": architecture}))
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (theirs.pad_token_id, theirs.bos_token_id, theirs.eos_token_id, theirs.unk_token_id) == (
        0,
        1,
        2,
        3,
    )
    for text in (*SENTENCES, *ODD):
        ids = tokenizer.encode(text)
        assert theirs(text)["input_ids"] == [*ids, 2]
        # The library has no decoder that composes jamo; what it gives is the same text in NFD.
        assert compose(theirs.decode([*ids, 2], skip_special_tokens=True)) == tokenizer.decode(ids)


def test_a_copy_in_another_process_still_takes_special_tokens_for_text(learned: Learned) -> None:
    tokenizer = learned("bpe")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode("</s> the") == tokenizer.encode("</s> the")
    assert copy.fingerprint == tokenizer.fingerprint


def test_fingerprints_differ_when_ids_may(learned: Learned) -> None:
    makes = [(kind, jamo) for kind in KINDS for jamo in (False, True)]
    assert len({learned(kind, jamo=jamo).fingerprint for kind, jamo in makes}) == len(makes)


_FORK = """
import os
from glassformer.text.train import TokenizerConfig, train
tokenizer = train(TokenizerConfig(vocab_size=300, min_frequency=1), ["the school 나는 학교에"] * 50)
rows = tokenizer.encode_batch(["the school"] * 2000)
child = os.fork()
if child == 0:
    os._exit(0 if tokenizer.encode_batch(["the school"] * 2000) == rows else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(status, os.environ.get("TOKENIZERS_PARALLELISM"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_encodes_without_a_warning() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    command = [sys.executable, "-c", _FORK]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "None"]
    assert "fork" not in done.stderr
