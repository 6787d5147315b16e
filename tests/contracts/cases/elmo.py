"""Two language models in opposite directions; ``transformers`` has none, and nothing in them attends."""

from __future__ import annotations

from tests.contracts.case import Case

SIZES = {"dim": 12, "depth": 2, "max_length": 20, "vocab_size": 31}

CASES = [
    Case("lstm", SIZES, foreign=False, looks=False),
    Case("gru", SIZES | {"cell": "gru", "depth": 1}, foreign=False, looks=False),
]
