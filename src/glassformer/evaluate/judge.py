"""What a judge is: the protocol between what a model tells of examples and the report on how good it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int

from glassformer.base import plugins
from glassformer.data.example import Example
from glassformer.objectives.objective import Told

MARK = "Judge"
"""The class that makes a file of ``evaluate/judges`` a judge."""


@dataclass(frozen=True)
class Asked:
    """What was judged: the names of ``labels``, and the examples that rows are counted over, in order.

    ``examples()`` reads them anew at each call; ``text`` is one as people read it.
    """

    labels: Sequence[str]
    examples: Callable[[], Iterable[Example]]
    text: Callable[[Example], str]

    def chosen(self, rows: Iterable[int]) -> Iterator[tuple[int, Example]]:
        """The examples with these numbers, in the order of the data."""
        wanted = set(rows)
        for row, example in enumerate(self.examples()):
            if row in wanted:
                yield row, example


@dataclass(frozen=True)
class Table:
    """A table of a report: the ``name`` of its file, a ``title`` for people, and rows below ``headers``."""

    name: str
    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@runtime_checkable
class Judge(Protocol):
    """Figures, tables and mistakes of one kind of answers; a file of ``evaluate/judges`` with this class.

    An objective names it (``judge = "labels"``) and tells it what it reads (``told``); see
    ``objectives.objective.Objective``. It is made as ``Judge(told, asked)``, ``told`` by the number of the
    row in the order of the data; a row of which nothing could be told is missing. ``shown`` are the names of
    its figures for people, the telling one first; what is smaller for the better stands in
    ``train.settings.LOWER``.
    """

    shown: Mapping[str, str]

    def __len__(self) -> int:
        """How many texts, questions or sentences are judged: what a resample draws from."""
        ...

    def figures(self, rows: Int[np.ndarray, " drawn"] | None = None) -> dict[str, float]:
        """All figures by name, of all or of those drawn (numbers below ``len``); NaN where undefined."""
        ...

    def notes(self) -> list[str]:
        """Sentences on what is undefined or unusual, such as a test set with one label only."""
        ...

    def tables(self) -> list[Table]:
        """What the figures come from, such as the confusion matrix."""
        ...

    def wrong(self, most: int) -> Table:
        """The examples the model is most wrong about, the worst first: sure, and mistaken."""
        ...


def judge_of(objective: Any, told: Mapping[int, Told], asked: Asked) -> Judge:
    """The judge that an objective names, for what its model told; rows in the order of the data."""
    found: Judge = plugins.find("evaluate.judges", objective.judge, MARK).Judge(
        {row: told[row] for row in sorted(told)}, asked
    )
    return found
