"""How likely each of a few words is in a blank: one blank a text, and words of one piece each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from glassformer.base.errors import RunError, UserError
from glassformer.decode.fill import Fills, mask_of
from glassformer.decode.hypothesis import NOT_NUMBERS
from glassformer.decode.score import Score
from glassformer.decode.state import resting
from glassformer.decode.tokenizer import Masks

Cloze = tuple[str, str]
"""What stands before a blank and what behind it."""


def blanked(model: Fills, tokenizer: Masks, texts: Sequence[Cloze]) -> list[list[int]]:
    """The tokens of each text with the mask in its blank; a space before the blank belongs to it.

    Raises UserError for a tokenizer without a mask and a model that scores no words.
    """
    mask = mask_of(model, tokenizer)
    pieces = [
        piece for before, after in texts for piece in ((before.removesuffix(" "), True), (after, False))
    ]
    rows = iter(tokenizer.encode_running(pieces))
    return [[*tokenizer.opening, *next(rows), mask, *next(rows), *tokenizer.closing] for _ in texts]


def pieces_of(tokenizer: Masks, before: str, words: Sequence[str]) -> list[int]:
    """The one piece that each word is in a blank behind ``before``; UserError for a word of several."""
    bare, *rows = tokenizer.encode_running(
        [(before.removesuffix(" "), True), *((before + word, True) for word in words)]
    )
    found = []
    for word, row in zip(words, rows, strict=True):
        if row[: len(bare)] != bare or len(row) != len(bare) + 1:
            written = " ".join(tokenizer.pieces(row[len(bare) :]))
            raise UserError(
                f"the word {word!r} is {written!r} in a blank here, and a model that fills blanks "
                "tells words of one piece only; take another word"
            )
        found.append(row[-1])
    return found


def cloze(
    model: Fills,
    rows: Sequence[Sequence[int]],
    words: Sequence[str],
    pieces: Sequence[int],
    mask: int,
    *,
    tokens_per_batch: int = 2048,
    device: torch.device | str = "cpu",
    on_progress: Callable[[int], None] | None = None,
) -> list[tuple[Score, ...]]:
    """For every text the score of each word in its blank (Schick & Schütze 2021, eq. 1, before its softmax).

    ``rows`` are those of ``blanked``, ``pieces`` those of the words. Texts of one length are read together,
    so that none is padded. Raises UserError for a text longer than the model, RunError when scores are not
    numbers.
    """
    longest, most = max(map(len, rows), default=0), model.config.max_length
    if longest > most:
        raise UserError(f"a prompt of {longest} tokens is longer than the model, which reads {most}")
    found: list[tuple[Score, ...]] = [()] * len(rows)
    chosen = torch.tensor(pieces, device=device)
    with resting(model), torch.inference_mode():
        for places in _batches(rows, tokens_per_batch):
            tokens = torch.tensor([list(rows[place]) for place in places], device=device)
            # The blank of the question is the last: a text that holds the mask itself stands before it.
            blank = [len(rows[place]) - 1 - list(rows[place])[::-1].index(mask) for place in places]
            scores: Tensor = model({"tokens": tokens})[range(len(places)), blank].float()
            logps = scores.log_softmax(dim=1)[:, chosen]
            if not logps.isfinite().all():
                raise RunError(NOT_NUMBERS)
            for place, values in zip(places, logps.tolist(), strict=True):
                told = zip(words, pieces, values, strict=True)
                found[place] = tuple(Score(word, (piece,), (value,)) for word, piece, value in told)
            if on_progress:
                on_progress(len(places))
    return found


def _batches(rows: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """Texts of one length together, the longest first."""
    batch: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: -len(rows[place])):
        longest = len(rows[batch[0]]) if batch else 0
        if batch and (len(rows[place]) != longest or (len(batch) + 1) * longest > most):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
