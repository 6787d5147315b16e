"""How many entities were found exactly: precision, recall and F1 over spans, as seqeval counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Int, Num

from glassformer.data.tags import Scheme, spans, strict_spans
from glassformer.evaluate.classes import PerLabel

Tagged = tuple[Sequence[str], Sequence[str]]
"""The tags of a sentence as they are, and as they were told."""


def counted(
    pairs: Iterable[Tagged], kinds: Sequence[str], strict: Scheme | None = None
) -> Int[np.ndarray, "sentence count kind"]:
    """For each sentence and kind how many entities there are, were told, and were told right.

    One is right when both its ends and its kind are. ``strict`` counts only those that are written as that
    scheme has it; else tags are read as conlleval reads them.
    """
    read = spans if strict is None else partial(strict_spans, scheme=strict)
    place = {kind: number for number, kind in enumerate(kinds)}
    rows = []
    for pair in pairs:
        true, told = (set(read(tags)) for tags in pair)
        row = np.zeros((3, len(kinds)), dtype=np.int64)
        for line, found in enumerate((true, told, true & told)):
            for one in found:
                row[line, place[one[2]]] += 1
        rows.append(row)
    return np.array(rows, dtype=np.int64).reshape(len(rows), 3, len(kinds))


def kinds_of(labels: Iterable[str]) -> list[str]:
    """The kinds of spans that labels tell apart, by name."""
    return sorted({label[2:] for label in labels} - {""})


def fared(counts: Num[np.ndarray, "count kind"]) -> PerLabel:
    """How each kind fares, from sums over sentences."""
    return PerLabel(*counts)


def entity_f1(pairs: Iterable[Tagged], strict: Scheme | None = None) -> float:
    """F1 over all entities of pairs of true and told tags; 0 where there is none.

    >>> entity_f1([(["B-PER", "O"], ["B-PER", "B-LOC"])])
    0.6666666666666666
    """
    listed = list(pairs)
    kinds = kinds_of(tag for pair in listed for tags in pair for tag in tags)
    return fared(counted(listed, kinds, strict).sum(axis=0)).micro()[2]
