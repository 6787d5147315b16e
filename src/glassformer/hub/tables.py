"""The words behind a tokenizer's pieces, and the tables of a model that hold a vector for each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from torch import nn

from glassformer.base.errors import RunError, UserError
from glassformer.hub.vectors import Vectors
from glassformer.text.normalize import compose
from glassformer.text.tokenizer import Tokenizer, TokenizerPair

SPACE, INSIDE = "▁", "##"
OUTPUT = "output"
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def words_of(tokenizer: Tokenizer) -> dict[str, int]:
    """The words that single pieces of a tokenizer are, in form NFC, each with its id, in order of the ids.

    ``▁서울``, which begins a word, is ``서울``. A piece that goes on a word is called as it is written, and
    ``##서울`` where that name is taken. Special tokens, lone bytes and spaces are no words.
    """
    specials = tokenizer.specials_ids()
    pieces = tokenizer.pieces(range(tokenizer.vocab_size))
    shown = {number: compose(piece) for number, piece in enumerate(pieces) if number not in specials}
    begins = {number for number, piece in shown.items() if piece.startswith(SPACE)}
    found: dict[str, int] = {}
    # Those that begin a word are named first, so that the name without a mark is theirs.
    for number in sorted(shown, key=lambda number: (number not in begins, number)):
        name = shown[number].removeprefix(SPACE)
        if not name or SPACE in name or name != "".join(name.split()) or _BYTE.search(name):
            continue
        found.setdefault(name if name not in found else f"{INSIDE}{name}", number)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def tables(model: nn.Module, rows: int) -> list[nn.Embedding]:
    """The embedding tables of so many rows that a model reads by, each once, in the order of its parts.

    What is called ``output`` is what it answers by.
    """
    return [
        part
        for name, part in model.named_modules()
        if isinstance(part, nn.Embedding) and len(part.weight) == rows and not name.endswith(OUTPUT)
    ]


def vectors_of(model: nn.Module, tokenizers: TokenizerPair, where: str) -> Vectors:
    """The rows of a model's input table for the words of its source tokenizer.

    Raises UserError for a model without such a table, RunError for rows that are not numbers.
    """
    config: Any = model.config
    found = tables(model, getattr(config, "vocab_size", 0))
    words = words_of(tokenizers.source)
    if not found or not words:
        raise UserError(f"{where}: the model has no table of word vectors")
    matrix = found[0].weight.detach().float().cpu().numpy()[list(words.values())]
    if not np.isfinite(matrix).all():
        raise RunError(f"{where}: the word vectors are not all numbers; the model's weights are damaged")
    return Vectors(tuple(words), matrix)
