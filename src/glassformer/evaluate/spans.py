"""Entities in tagged text: which spans a row of BIO tags marks, and how many of them were found exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int, str]
"""The first word of an entity, the one behind its last, and its kind."""


def marks_spans(labels: Iterable[str]) -> bool:
    """Whether labels are BIO tags: ``O``, ``B-kind`` and ``I-kind`` (Ramshaw & Marcus 1995)."""
    found = set(labels)
    return "O" in found and len(found) > 1 and all(one == "O" or one[:2] in ("B-", "I-") for one in found)


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities that BIO tags mark, in order.

    An ``I`` behind anything but its own kind begins an entity too, as where only neighbours of one kind are
    told apart by ``B``.

    >>> spans(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [(0, 2, 'PER'), (3, 4, 'LOC'), (4, 5, 'LOC')]
    """
    found: list[Span] = []
    start, kind = 0, ""
    for place, tag in enumerate([*tags, "O"]):
        goes_on = tag[:2] == "I-" and tag[2:] == kind
        if kind and not goes_on:
            found.append((start, place, kind))
        if not goes_on:
            start, kind = place, "" if tag == "O" else tag[2:]
    return found


def entity_f1(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> float:
    """F1 over all entities of pairs of true and told tags; one is right when its ends and kind are.

    >>> entity_f1([(["B-PER", "O"], ["B-PER", "B-LOC"])])
    0.6666666666666666
    """
    right = total = 0
    for true, told in pairs:
        one, other = set(spans(true)), set(spans(told))
        right += len(one & other)
        total += len(one) + len(other)
    return 2 * right / total if total else 0.0
