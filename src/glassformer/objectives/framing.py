"""Texts as rows of tokens: one text, or two that go together, in the frame of their tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from glassformer.text.tokenizer import Tokenizer

Text = str | tuple[str, str]
"""A text, or two that are read together."""


@dataclass(frozen=True, slots=True)
class Row:
    """The ids of one text or two in their frame, and where the ``second`` begins, or would.

    There was room for ``read`` ids of the texts themselves; so many others are ``lost``.
    """

    tokens: tuple[int, ...]
    second: int
    read: int
    lost: int


def framed(texts: Sequence[Text], tokenizer: Tokenizer, longest: int) -> list[Row]:
    """Each text in what the tokenizer's template puts around it, at most ``longest`` tokens long.

    ::

        [CLS] a [SEP]      [CLS] a [SEP] b [SEP]      of BERT; a </s> b </s> where no template is for two

    A text that is too long loses its end; of two the longer one does first, until both are as long, and then
    each in its turn ("longest first" of other libraries).
    """
    flat = [one for text in texts for one in ((text,) if isinstance(text, str) else text)]
    ids = iter(tokenizer.encode_batch(flat))
    return [
        _alone(next(ids), tokenizer, longest)
        if isinstance(text, str)
        else _pair(next(ids), next(ids), tokenizer, longest)
        for text in texts
    ]


def _alone(ids: Sequence[int], tokenizer: Tokenizer, longest: int) -> Row:
    opening, closing = tokenizer.opening, tokenizer.closing
    read = ids[: max(1, longest - len(opening) - len(closing))]
    row = (*opening, *read, *closing)[:longest]
    row = row or (tokenizer.eos_id,)  # of a text that the tokenizer writes with nothing
    return Row(row, len(row), len(read), len(ids) - len(read))


def _pair(first: Sequence[int], second: Sequence[int], tokenizer: Tokenizer, longest: int) -> Row:
    end = (tokenizer.eos_id,)
    between = tokenizer.between or tokenizer.closing or end
    closing = tokenizer.closing or (() if tokenizer.between else end)
    room = max(2, longest - len(tokenizer.opening) - len(between) - len(closing))
    one, other = shared_room(len(first), len(second), room)
    head = (*tokenizer.opening, *first[:one], *between)
    tokens = (*head, *second[:other], *closing)[:longest]
    return Row(tokens, len(head), one + other, len(first) + len(second) - one - other)


def shared_room(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of two texts are kept where both have ``room`` together: the longer one loses first.

    >>> shared_room(9, 2, 8), shared_room(9, 8, 8), shared_room(5, 5, 9)
    ((6, 2), (4, 4), (4, 5))
    """
    if first + second <= room:
        return first, second
    if first > second:
        return shared_room(second, first, room)[::-1]
    kept = min(first, room // 2)
    return kept, room - kept


def alike(rows: Iterable[Row]) -> Iterator[list[int]]:
    """Which rows are read together: those of one length, so that none is padded."""
    lengths: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        lengths.setdefault(len(row.tokens), []).append(place)
    yield from lengths.values()
