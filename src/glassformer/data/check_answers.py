"""What is wrong with data whose examples have answers, such as labels, tags, numbers and spans."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

from glassformer.base.errors import UserError
from glassformer.data.check import Report, Table, leaks, look_at, repeats, taking, watched
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.look import Look
from glassformer.data.sources import SPLITS

BINS = 10
"""Into how many parts the range of numbers is cut to be counted."""


def check(
    kind: ModuleType,
    config: Any,
    *,
    numbers: bool | None = None,
    max_characters: int = 10_000,
    keep: int = 1000,
) -> Report:
    """Read every split of the data and report what is wrong with it; ``kind`` is its module, with ``look``.

    Beside findings it tells how long texts are, and how often there is each label, or how ``numbers`` are
    spread: answers are numbers if so it is said, or, where nothing is said, if all read as numbers and some
    of them is no whole one. Of each row some hundred bytes are held, no text.
    """
    found = Report(keep=keep)
    splits = {}
    for split in SPLITS:
        if config.sources(split):
            splits[split] = _Split()
            for source in config.sources(split):
                _read(kind, config, source.path, splits[split], found=found, max_characters=max_characters)
            found.rows[split] = len(splits[split].table)
    if numbers or (numbers is None and _measured(splits.values())):
        for one in splits.values():
            one.as_numbers(found)
    for split, one in splits.items():
        _within(split, one, found)
    train = splits.get("train")
    for split, one in splits.items():
        if train is not None and one is not train:
            leaks(train.table, one.table, split, found)
            _unknown(train, one, split, found)
    _describe(splits, found)
    return found


class _Rows(Table):
    """The texts and the answer of each row, in whatever way its place is told."""

    words = ("row", "text", "answer")

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def add(self, where: str, texts: Any) -> None:
        """One more row; the number of the line is not needed."""
        super().add(f"{where}:0", texts)
        self.places.append(where)

    def where(self, row: int) -> str:
        """``file:line``, or what else the kind of data calls the place."""
        return self.places[row]


class _Split:
    """What is remembered of a split."""

    def __init__(self) -> None:
        self.table = _Rows()
        self.labels: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.lengths: list[int] = []
        self.numbers: list[float] = []

    def add(self, look: Look, where: str) -> None:
        """One more row."""
        self.table.add(where, ("\n".join(look.texts), look.answer))
        self.lengths.append(sum(map(len, look.texts)))
        for label in look.labels:
            self.labels[label] += 1
            self.first.setdefault(label, where)

    def as_numbers(self, found: Report) -> None:
        """Take the labels for numbers; those that are none are findings."""
        for label, times in self.labels.items():
            number = number_of(label)
            if number is None:
                found.add("wrong", self.first[label], f"the answer {label!r} is no number ({times:,})")
            else:
                self.numbers += [number] * times
        self.labels.clear()


def number_of(label: str) -> float | None:
    """The finite number that a label is written as, None for any other.

    >>> number_of("3.20"), number_of("good")
    (3.2, None)
    """
    try:
        number = float(label)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _measured(splits: Iterable[_Split]) -> bool:
    """Whether labels look like measurements: all are numbers, and not all are whole ones."""
    labels = {label for one in splits for label in one.labels}
    return all(number_of(label) is not None for label in labels) and any("." in label for label in labels)


class _Left(Dropped):
    """Told of rows that are left out for having no text, which are findings here."""

    def __init__(self, found: Report) -> None:
        super().__init__()
        self.found = found

    def note(self, reason: str, where: str) -> None:
        """Report one."""
        self.found.add("empty", where, reason)


def _read(kind: Any, config: Any, path: str, split: _Split, *, found: Report, max_characters: int) -> None:
    broken, bad = taking(found)
    # A kind whose file is one document has no rows to leave out.
    taken = {"bad": bad} if "bad" in inspect.signature(config.read).parameters else {}
    try:
        read: Iterator[Example] = config.read(path, _Left(found), **taken)
        for example in watched(read, path):
            if example.where.rpartition(":")[2] in broken:
                continue
            look: Look = kind.look(config, example)
            for name, sentence in look.wrong:
                found.add(name, example.where, sentence)
            for text in look.texts:
                look_at("the text", text, example.where, found, max_characters)
            split.add(look, example.where)
    except UserError as error:
        where, colon, problem = str(error).partition(": ")
        found.add("unreadable", where if colon else path, problem or str(error))


def _within(name: str, split: _Split, found: Report) -> None:
    if len(split.table):
        repeats(split.table, found)
    if len(split.labels) == 1:
        (label,) = split.labels
        found.add("one_label", name, f"all rows are {label!r}; telling labels apart needs two")


def _unknown(train: _Split, other: _Split, split: str, found: Report) -> None:
    """Labels that a model trained on this data cannot know."""
    for label in sorted(other.labels.keys() - train.labels.keys()):
        times = other.labels[label]
        found.add("unknown_label", other.first[label], f"{split} has {label!r} ({times:,}), train has not")


def _describe(splits: dict[Any, _Split], found: Report) -> None:
    """Tables of the lengths of texts, of labels by split, and of numbers."""
    ends = ("rows", "shortest", "median", "95 %", "longest")
    lengths = {name: one.lengths for name, one in splits.items() if one.lengths}
    found.tables["lengths"] = (
        ("characters", *ends),
        [(name, len(values), *_spread(values)) for name, values in lengths.items()],
    )
    _describe_numbers({name: one.numbers for name, one in splits.items() if one.numbers}, found)
    labels = sum((one.labels for one in splits.values()), Counter[str]())
    if labels:
        rows: list[tuple[object, ...]] = []
        for label, _ in labels.most_common():
            cells: list[object] = [label]
            for one in splits.values():
                cells += [one.labels[label], _share(one.labels[label], one.labels.total())]
            rows.append(tuple(cells))
        names = [part for name in splits for part in (name, f"{name} %")]
        found.tables["labels"] = (("label", *names), rows)


def _describe_numbers(numbers: dict[Any, list[float]], found: Report) -> None:
    """Tables of where numbers lie, and of how many lie in each tenth of their range."""
    if not numbers:
        return
    found.tables["numbers"] = (
        ("answers", "rows", "mean", "least", "median", "95 %", "most"),
        [
            (name, len(values), round(sum(values) / len(values), 3), *_spread(values))
            for name, values in numbers.items()
        ],
    )
    whole = [one for values in numbers.values() for one in values]
    bounds = np.linspace(min(whole), max(whole), BINS + 1)
    counts = {name: np.histogram(values, bounds)[0].tolist() for name, values in numbers.items()}
    rows: list[tuple[object, ...]] = []
    for place, (low, high) in enumerate(pairwise(np.round(bounds, 3).tolist())):
        cells: list[object] = [low, high]
        for name, values in numbers.items():
            cells += [counts[name][place], _share(counts[name][place], len(values))]
        rows.append(tuple(cells))
    found.tables["histogram"] = (
        ("from", "to", *(part for name in numbers for part in (name, f"{name} %"))),
        rows if bounds[0] < bounds[-1] else [],
    )


def _spread(values: list[Any]) -> list[float]:
    ends: list[float] = np.percentile(values, [0, 50, 95, 100]).tolist()
    return [round(one, 3) for one in ends]


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
