"""Pairs of tokenizers and opening them from a model folder."""

from pathlib import Path

import pytest

from glassformer.base.errors import UserError
from glassformer.text.tokenizer import TokenizerPair, load_pair, load_tokenizer
from glassformer.text.train import TokenizerConfig, train_pair

PAIRS = [("나는 학교에 갑니다.", "I go to school."), ("책을 읽습니다.", "I read a book.")] * 4


def _pair(shared: bool) -> TokenizerPair:
    return train_pair(TokenizerConfig(vocab_size=350, shared=shared), PAIRS)


def test_a_shared_pair_is_one_file_and_opens_as_one_tokenizer(tmp_path: Path) -> None:
    pair = _pair(shared=True)
    pair.save(tmp_path)
    opened = load_pair(tmp_path)
    assert opened.shared
    assert opened.source is opened.target
    assert opened.fingerprint == pair.fingerprint
    assert not (tmp_path / "tokenizer_target.json").exists()


def test_a_separate_pair_is_two_files_and_opens_as_two(tmp_path: Path) -> None:
    pair = _pair(shared=False)
    pair.save(tmp_path)
    opened = load_pair(tmp_path)
    assert not opened.shared
    assert opened.fingerprint == pair.fingerprint
    assert opened.source.fingerprint == pair.source.fingerprint
    assert opened.target.fingerprint == pair.target.fingerprint
    assert load_tokenizer(tmp_path, "tokenizer_target").encode("I read") == pair.target.encode("I read")


def test_the_fingerprint_of_a_pair_knows_its_sides() -> None:
    pair = _pair(shared=False)
    assert TokenizerPair(pair.target, pair.source).fingerprint != pair.fingerprint


def test_a_missing_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tokenizer here"):
        load_pair(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        load_pair(tmp_path / "nowhere")
