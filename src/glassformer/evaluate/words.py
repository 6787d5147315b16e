"""How good word vectors are: similarities that people gave to pairs of words, and analogies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from glassformer.base import files
from glassformer.base.errors import UserError
from glassformer.base.report import table
from glassformer.hub.vectors import Vectors
from glassformer.text.normalize import compose

FIRST = 300_000
"""As many words are looked at, the first of the vectors, which are the commonest where they are sorted so."""

Question = tuple[str, str, str, str]

_AT_ONCE = 256
_LOOKED_AT = 5  # as gensim: of an analogy's nearest words the first that is no word of the question


@dataclass(frozen=True)
class PairScores:
    """How well cosines agree with the figures of ``known`` pairs; of ``unknown`` ones a word is missing."""

    known: int
    unknown: int
    pearson: float
    spearman: float

    def as_json(self) -> dict[str, Any]:
        """``pairs`` and ``unknown``, how many, and ``pearson`` and ``spearman``, from -1 to 1."""
        figures = {"pearson": _or_none(self.pearson), "spearman": _or_none(self.spearman)}
        return {"pairs": self.known, "unknown": self.unknown, **figures}

    def lines(self) -> Iterator[str]:
        """The coefficients, and of how many pairs."""
        yield f"Spearman {self.spearman:.4f}  Pearson {self.pearson:.4f}"
        yield f"{self.known} pairs, {self.unknown} more with unknown words"


@dataclass(frozen=True)
class Section:
    """How many questions of a section were answered rightly; ``unknown`` ones were not asked."""

    name: str
    right: int
    asked: int
    unknown: int

    @property
    def accuracy(self) -> float:
        """The share of right answers to what was asked, NaN where nothing was."""
        return self.right / self.asked if self.asked else float("nan")

    def as_json(self) -> dict[str, Any]:
        """``section``, ``accuracy`` from 0 to 1, ``right``, ``asked`` and ``unknown``."""
        figures = {"right": self.right, "asked": self.asked, "unknown": self.unknown}
        return {"section": self.name, "accuracy": _or_none(self.accuracy), **figures}


@dataclass(frozen=True)
class AnalogyScores:
    """The sections of a file of analogies."""

    sections: tuple[Section, ...]

    @property
    def total(self) -> Section:
        """All sections as one."""
        sums = [sum(getattr(one, key) for one in self.sections) for key in ("right", "asked", "unknown")]
        return Section("total", *sums)

    def as_json(self) -> dict[str, Any]:
        """The figures of the total, as a section has them, and ``sections``."""
        return self.total.as_json() | {"sections": [one.as_json() for one in self.sections]}

    def lines(self) -> Iterator[str]:
        """A table with a row for each section, and the total."""
        rows = [
            (one.name, f"{100 * one.accuracy:.1f} %" if one.asked else "", one.right, one.asked, one.unknown)
            for one in (*self.sections, self.total)
        ]
        yield from table(("section", "accuracy", "right", "asked", "unknown"), rows).splitlines()


def _or_none(figure: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(figure) else figure


def pair_scores(vectors: Vectors, path: Path | str) -> PairScores:
    """The correlation of cosines with the figures of a file: two words and a number a line, parted by tabs.

    Spaces or commas may stand for tabs, and ``#`` begins a comment. Upper and lower case are one: the first
    word is taken. Pairs with a word that is none of the ``FIRST`` words are left out and counted.
    Raises UserError with file and line for other lines, and where fewer than two pairs are known.
    """
    places = _places(vectors)
    found, given = [], []
    rows = list(_pairs(path))
    if not rows:
        raise UserError(f"{files.shown(path)} is empty; write two words and a number a line, parted by tabs")
    for one, other, figure in rows:
        if one in places and other in places:
            found.append(float(vectors.unit[places[one]] @ vectors.unit[places[other]]))
            given.append(figure)
    if len(found) < 2:
        raise UserError(
            f"{files.shown(path)}: of {len(rows)} pairs the vectors know {len(found)}; a correlation needs 2"
        )
    left, right = np.array(given), np.array(found)
    pearson, spearman = correlation(left, right), correlation(ranks(left), ranks(right))
    return PairScores(len(found), len(rows) - len(found), pearson, spearman)


def correlation(left: Float[np.ndarray, " rows"], right: Float[np.ndarray, " rows"]) -> float:
    """Pearson's coefficient; NaN where one side does not vary.

    r = Σ (x - x̄)(y - ȳ) / √(Σ (x - x̄)² Σ (y - ȳ)²)
    """
    left, right = left - left.mean(), right - right.mean()
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / size if size else float("nan")


def ranks(values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """The rank of each value from 1, equal values sharing the mean of theirs: what Spearman correlates."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return ((2 * last - counts + 1) / 2)[which]


def analogy_scores(vectors: Vectors, path: Path | str) -> AnalogyScores:
    """How many analogies of a file the vectors answer rightly, section by section.

    A line ``: name`` begins a section; the others are four words, of which a is to b as c is to d. The answer
    is the word, none of the first three, whose direction is nearest to

        b/‖b‖ - a/‖a‖ + c/‖c‖                                            (Mikolov et al. 2013c, §2)

    Case and unknown words are as in ``pair_scores``. Raises UserError with file and line, and where no
    question is known.
    """
    places = _places(vectors)
    read = _sections(path)
    known = [[one for one in questions if places.keys() >= set(one)] for _, questions in read]
    flat = [question for section in known for question in section]
    if not flat:
        count = sum(len(questions) for _, questions in read)
        raise UserError(f"{files.shown(path)}: of {count} questions the vectors know none")
    answers = iter(_answers(vectors, places, flat))
    sections = [
        Section(name, sum(next(answers) == one[3] for one in asked), len(asked), len(questions) - len(asked))
        for (name, questions), asked in zip(read, known, strict=True)
    ]
    return AnalogyScores(tuple(sections))


# --- questions and answers ---------------------------------------------------------------------------------


def _places(vectors: Vectors) -> dict[str, int]:
    """The row of each word in upper case; of several the first."""
    found: dict[str, int] = {}
    for row, word in enumerate(vectors.words[:FIRST]):
        found.setdefault(word.upper(), row)
    return found


def _answers(vectors: Vectors, places: Mapping[str, int], questions: Sequence[Question]) -> Iterator[str]:
    """The fourth word of each question, in upper case."""
    for at in range(0, len(questions), _AT_ONCE):
        some = questions[at : at + _AT_ONCE]
        rows = [[places[word] for word in question[:3]] for question in some]
        a, b, c = (vectors.unit[list(one)] for one in zip(*rows, strict=True))
        for question, near in zip(some, vectors.nearest(b - a + c, _LOOKED_AT, rows, FIRST), strict=True):
            words = [vectors.words[place].upper() for place, _ in near]
            yield next((word for word in words if word not in question[:3]), words[-1] if words else "")


def _pairs(path: Path | str) -> Iterator[tuple[str, str, float]]:
    for number, line in files.open_lines(path):
        if line.startswith("#") or not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")]
        fields = fields if len(fields) > 1 else line.replace(",", " ").split()
        if len(fields) != 3:
            raise UserError(
                f"{files.shown(path)}:{number}: has {len(fields)} fields; write two words and a number, "
                "parted by tabs"
            )
        try:
            figure = float(fields[2])
        except ValueError:
            figure = float("nan")
        if not np.isfinite(figure):
            raise UserError(f"{files.shown(path)}:{number}: {fields[2]!r} is not a number")
        yield compose(fields[0]).upper(), compose(fields[1]).upper(), figure


def _sections(path: Path | str) -> list[tuple[str, list[Question]]]:
    found: list[tuple[str, list[Question]]] = []
    for number, line in files.open_lines(path):
        words = compose(line).upper().split()
        if line.startswith(":"):
            found.append((line.lstrip(": ").strip(), []))
        elif words and not found:
            raise UserError(
                f"{files.shown(path)}:{number}: stands before the first section; begin one by ': its name'"
            )
        elif words and len(words) != 4:
            raise UserError(f"{files.shown(path)}:{number}: has {len(words)} words; an analogy has 4")
        elif words:
            found[-1][1].append((words[0], words[1], words[2], words[3]))
    return found
