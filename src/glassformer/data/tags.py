"""Tags that mark spans: IOB1, IOB2, BIOES, read as spans, written again, and what is illegal in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool

Scheme = Literal["iob1", "iob2", "bioes"]

Span = tuple[int, int, str]
"""The first word of a span, the one behind its last, and its kind."""

OUTSIDE = "O"
PREFIXES = ("B-", "I-", "E-", "S-")


def marks_spans(labels: Iterable[str]) -> bool:
    """Whether labels are ``O`` and beginnings, insides, ends or singles of kinds (Ramshaw & Marcus 1995)."""
    found = set(labels) - {OUTSIDE}
    return bool(found) and all(one[:2] in PREFIXES and len(one) > 2 for one in found)


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans that tags mark, in order, whatever the scheme, as conlleval and seqeval read them.

    A tag goes on with a span when it is an ``I`` or ``E`` of its kind behind a ``B`` or ``I`` of it; any
    other begins one. So an ``I`` behind an ``O`` begins a span too, and nothing is refused.

    >>> spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [(0, 2, 'PER'), (3, 4, 'LOC'), (4, 5, 'LOC')]
    """
    found: list[Span] = []
    start, before = 0, OUTSIDE
    for place, tag in enumerate([*tags, OUTSIDE]):
        goes_on = tag[:2] in ("I-", "E-") and before[:2] in ("B-", "I-") and tag[2:] == before[2:]
        if before != OUTSIDE and not goes_on:
            found.append((start, place, before[2:]))
        if not goes_on:
            start = place
        before = tag
    return found


def strict_spans(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """Only those spans that are written as the scheme has it, from the first tag to the last.

    >>> strict_spans(["I-PER", "B-LOC", "I-LOC"], "iob2")
    [(1, 3, 'LOC')]
    """
    if scheme == "iob1":  # every sequence of B and I has a meaning there
        return spans(tags)
    return [one for one in spans(tags) if list(tags[one[0] : one[1]]) == _marks(one, scheme)]


def written(found: Iterable[Span], length: int, scheme: Scheme) -> list[str]:
    """So many tags that mark these spans, which must not overlap.

    >>> written([(0, 2, "PER"), (3, 4, "LOC")], 4, "bioes")
    ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    tags = [OUTSIDE] * length
    before: Span = (-1, -1, "")
    for one in sorted(found):
        touches = before[1:] == (one[0], one[2])
        tags[one[0] : one[1]] = _marks(one, scheme, touches=touches)
        before = one
    return tags


def _marks(one: Span, scheme: Scheme, *, touches: bool = False) -> list[str]:
    """The tags of a span; ``touches``: another of its kind ends where it begins."""
    first, last, kind = one
    size = last - first
    if scheme == "iob1":
        marks = ("B" if touches else "I") + "I" * (size - 1)
    elif scheme == "iob2":
        marks = "B" + "I" * (size - 1)
    else:
        marks = "S" if size == 1 else "B" + "I" * (size - 2) + "E"
    return [f"{mark}-{kind}" for mark in marks]


def converted(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The same spans in another scheme; illegal tags are mended on the way, as ``spans`` reads them."""
    return written(spans(tags), len(tags), scheme)


def legal(before: str, after: str, scheme: Scheme) -> bool:
    """Whether a tag may stand behind another; the beginning and the end of a text are as ``O``.

    >>> legal("O", "I-PER", "iob2"), legal("B-PER", "I-PER", "iob2"), legal("B-PER", "O", "bioes")
    (False, True, False)
    """
    same = before[2:] == after[2:]
    if scheme == "iob1":
        return after[:2] != "B-" or (before != OUTSIDE and same)
    inside = after[:2] in ("I-", "E-")
    if scheme == "iob2":
        return not inside or (before != OUTSIDE and same)
    opened = before[:2] in ("B-", "I-")
    return inside and same if opened else not inside


def all_tags(kinds: Iterable[str], scheme: Scheme) -> list[str]:
    """Every tag that a scheme has for these kinds, and that of what is outside."""
    marks = PREFIXES if scheme == "bioes" else PREFIXES[:2]
    return [OUTSIDE, *(mark + kind for kind in kinds for mark in marks)]


def known(scheme: Scheme, tag: str) -> bool:
    """Whether a scheme has such a tag."""
    return tag == OUTSIDE or (tag[:2] in (PREFIXES if scheme == "bioes" else PREFIXES[:2]) and len(tag) > 2)


def faults(tags: Sequence[str], scheme: Scheme) -> Iterator[tuple[int, str]]:
    """The place of every tag that must not stand where it stands, and why, as a clause."""
    before = OUTSIDE
    for place, tag in enumerate(tags):
        there = known(scheme, tag)
        if not there:
            yield place, f"{tag} is no tag of {scheme.upper()}"
        elif not legal(before, tag, scheme):
            where = f"behind {before}" if place else "at the beginning"
            yield place, f"{tag} {where} is illegal in {scheme.upper()}"
        before = tag if there else OUTSIDE
    if tags and not legal(before, OUTSIDE, scheme):
        yield len(tags) - 1, f"{before} at the end is illegal in {scheme.upper()}: the span has no end"


def scheme_of(sentences: Iterable[Sequence[str]]) -> Scheme | None:
    """The scheme that tagged sentences are most likely written in; None where tags mark no spans.

    Ends and singles are of BIOES only. Where ``B`` stands only between two spans of one kind, and spans begin
    with ``I`` otherwise, it is IOB1; else IOB2.
    """
    labels: set[str] = set()
    begun, never = False, True  # a span begun by I; no B that IOB1 forbids
    for tags in sentences:
        labels.update(tags)
        before = OUTSIDE
        for tag in tags:
            begun = begun or (tag[:2] == "I-" and not legal(before, tag, "iob2"))
            never = never and legal(before, tag, "iob1")
            before = tag
    if not marks_spans(labels):
        return None
    if any(one[:2] in ("E-", "S-") for one in labels):
        return "bioes"
    return "iob1" if begun and never else "iob2"


def transitions(labels: Sequence[str], scheme: Scheme) -> Bool[np.ndarray, "before after"]:
    """Which label may follow which; the last row is the beginning of a text, the last column its end."""
    names = [*labels, OUTSIDE]
    return np.array([[legal(before, after, scheme) for after in names] for before in names])
