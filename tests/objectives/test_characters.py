"""Characters in vocabularies of larger pieces: one piece each, of the form it has inside a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tokenizers as library
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers

from glassformer.objectives.characters import Characters
from glassformer.objectives.tagging import cut
from glassformer.text.tokenizer import Tokenizer, load_tokenizer
from glassformer.text.train import TokenizerConfig, train_pair

TEXT = "경찰은 또 성매매 알선 자금을 관리한 경찰은 또"
NAMES = ("wordpiece", "bpe", "unigram", "character", "byte_bpe")


@pytest.fixture(scope="module")
def learned() -> dict[str, Tokenizer]:
    def one(name: Any) -> Tokenizer:
        config = TokenizerConfig(name=name, vocab_size=300, min_frequency=1)
        return train_pair(config, [(TEXT,)], "both").source

    return {name: one(name) for name in NAMES}


def bert(folder: Path) -> Tokenizer:
    """A vocabulary as BERT has it: words begin bare, pieces inside go on with ##, spaces are nothing."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "경", "찰", "##찰", "##은", "또"]
    made = library.Tokenizer(models.WordPiece({one: at for at, one in enumerate(pieces)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.save(str(folder / "tokenizer.json"))
    named = {"pad": 0, "unk": 1, "cls": 2, "sep": 3, "mask": 4}
    told = ", ".join(f'"{name}_token": "{pieces[at]}"' for name, at in named.items())
    (folder / "tokenizer_config.json").write_text("{" + told + "}", "utf-8")
    (folder / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    return load_tokenizer(folder)


def test_inside_a_word_a_character_goes_on_and_a_space_is_unknown(tmp_path: Path) -> None:
    tokenizer = bert(tmp_path)
    found = Characters(tokenizer, "경찰은 또").of("경찰은 또")
    assert [tokenizer.pieces(ids) for ids, _ in found] == [["경"], ["##찰"], ["##은"], ["[UNK]"], ["또"]]
    assert [telling for _, telling in found] == [0] * 5


def test_a_space_has_the_mark_of_words_and_the_next_character_needs_none(learned: Any) -> None:
    for name in ("wordpiece", "unigram"):
        tokenizer = learned[name]
        found = Characters(tokenizer, "경찰 또").of("경찰 또")
        joined = [piece.removeprefix("##") for ids, _ in found for piece in tokenizer.pieces(ids)]
        assert joined == ["▁", "경", "찰", "▁", "또"]
        assert [telling for _, telling in found] == [1, 0, 0, 0]


def test_a_tokenizer_of_characters_reads_what_it_always_reads(learned: Any) -> None:
    tokenizer = learned["character"]
    ((tokens, starts),) = cut(tokenizer, [list(TEXT)], 64, unit="character")
    assert tokens == [*tokenizer.opening, *tokenizer.encode(TEXT), *tokenizer.closing]
    assert starts == list(range(1, len(TEXT) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_every_character_is_told_by_a_piece_of_its_own(name: str, learned: Any) -> None:
    @settings(deadline=None, max_examples=30)
    @given(st.text(TEXT + "xé😀", max_size=12))
    def holds(text: str) -> None:
        ((tokens, starts),) = cut(learned[name], [list(text)], 99, unit="character")
        assert len(starts) == len(text)
        assert starts == sorted(set(starts))
        assert all(start < len(tokens) - len(learned[name].closing) for start in starts)

    holds()
