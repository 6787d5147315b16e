"""word2vec, which ``transformers`` does not have: a table has nothing to look with."""

from __future__ import annotations

from tests.contracts.case import Case

SIZES = {"dim": 12, "vocab_size": 31}

CASES = [
    Case("words", SIZES, foreign=False, looks=False),
    Case("nodes", SIZES | {"told_by": "nodes"}, foreign=False, looks=False),
]
