"""Decoding asks a tokenizer for what the package's tokenizers have, and for no more than it uses."""

from typing import Any

import pytest

from glassformer.decode.tokenizer import Masks, Speaks, Tokenizer, Tokenizers
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train

ROOM = {"name": "byte_bpe", "vocab_size": 300, "min_frequency": 1}


def test_a_trained_tokenizer_has_all_that_decoding_asks_for():
    made = train(TokenizerConfig(**ROOM), ["the cat sleeps"], frame="both")
    assert isinstance(made, Masks)
    assert isinstance(TokenizerPair(made, made), Tokenizers)


@pytest.mark.parametrize(("kind", "fits"), [(Speaks, True), (Tokenizer, False)])
def test_what_only_writes_is_enough_to_show_and_not_to_read(kind: Any, fits: bool):
    class Letters:
        def decode(self, ids: Any) -> str:
            return "".join(map(chr, ids))

    assert isinstance(Letters(), kind) == fits
