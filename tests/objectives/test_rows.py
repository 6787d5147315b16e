"""Rows of running text: a document is closed where it ends, and rows are as long as the model reads."""

from types import SimpleNamespace

import numpy as np

from glassformer.data.example import Batch, Example, Features
from glassformer.objectives.rows import Rows, running
from glassformer.text.tokenizer import TokenizerPair
from glassformer.text.train import TokenizerConfig, train


class Kept(Rows):
    def _batch(self, rows):
        self.seen = [row.tolist() for row in rows]
        return Batch({}, 0)


WORDS = train(TokenizerConfig(name="word", min_frequency=1), ["a bb ccc"])
TOKENIZERS = TokenizerPair(WORDS, WORDS)
NUMBERS = SimpleNamespace(pad_id=0, eos_id=9, max_length=3)


def test_only_the_last_piece_of_a_document_is_closed():
    parts = [("a bb", True, False), (" ccc", False, True)]
    pieces = [Example({"text": text, "first": first, "last": last}, "") for text, first, last in parts]
    (open_row, closed) = (row.arrays["tokens"].tolist() for row in running(pieces, TOKENIZERS, 9))
    assert (open_row, closed) == (WORDS.encode("a bb"), [*WORDS.encode("ccc"), 9])
    same = Kept(None, numbers=NUMBERS, tokenizers=None).encode(pieces, TOKENIZERS)
    assert [row.arrays["tokens"].tolist() for row in same] == [open_row, closed]


def test_rows_are_as_long_as_the_model_reads_and_foretells():
    rows = Kept(None, numbers=NUMBERS, tokenizers=None)
    long = [Features({"tokens": np.arange(12)})]
    rows.collate(long, np.random.default_rng(0))
    assert rows.seen == [[0, 1, 2, 3]]
    rows.collate_training(long, np.random.default_rng(0))
    (seen,) = rows.seen
    assert len(seen) == 4 and seen == list(range(seen[0], seen[0] + 4))
