"""Pairs of Korean and English that grow into sentences and remember which word renders which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from glassformer.data.samples.english import ARTICLES


@dataclass(eq=False, slots=True)
class Eojeol:
    """One whitespace-separated Korean word; two of the same spelling stay two."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """One English word and the eojeols it renders (none for words Korean does without)."""

    text: str
    of: tuple[Eojeol, ...] = ()


Combination = tuple[str, str, str]  # relation, governor, dependent: ("object", "먹다", "사과")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of Korean with its English and the word combinations it is made of.

    Adding parts joins both languages in the same order; other orders are made by taking ``korean`` and
    ``english`` apart with ``arrange``.
    """

    korean: tuple[Eojeol, ...] = ()
    english: tuple[Word, ...] = ()
    pairs: tuple[Combination, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(self.korean + other.korean, self.english + other.english, self.pairs + other.pairs)

    def punctuated(self, mark: str) -> Part:
        """The part with a mark on the last word of both languages."""
        return self.closed_korean(mark).closed_english(mark)

    def closed_korean(self, mark: str) -> Part:
        """The part with a mark on its last eojeol."""
        if mark:
            self.korean[-1].text += mark
        return self

    def closed_english(self, mark: str) -> Part:
        """The part with a mark on its last English word."""
        last = self.english[-1]
        return Part(self.korean, (*self.english[:-1], Word(last.text + mark, last.of)), self.pairs)

    def capitalized(self) -> Part:
        """The part with a capital on its first English word."""
        first = self.english[0]
        text = first.text[0].upper() + first.text[1:]
        return Part(self.korean, (Word(text, first.of), *self.english[1:]), self.pairs)


def part(korean: str, english: str = "", pairs: Iterable[Combination] = ()) -> Part:
    """A part from plain text.

    ``last|0 week|1`` links each word to the eojeol of that number; unmarked words link to a single eojeol,
    and to nothing when there are several. Articles link to nothing, and ``~`` before a word says so.
    """
    eojeols = tuple(Eojeol(text) for text in korean.split())
    return Part(eojeols, tuple(_word(mark, eojeols) for mark in english.split()), tuple(pairs))


def _word(mark: str, eojeols: tuple[Eojeol, ...]) -> Word:
    text, bar, numbers = mark.partition("|")
    if bar:
        return Word(text, tuple(eojeols[int(number)] for number in numbers.split(",")))
    if text.startswith("~") or text in ARTICLES or len(eojeols) != 1:
        return Word(text.removeprefix("~"))
    return Word(text, eojeols)


def total(parts: Iterable[Part]) -> Part:
    """All parts in a row."""
    result = Part()
    for piece in parts:
        result += piece
    return result


def links(whole: Part) -> tuple[tuple[int, int], ...]:
    """The (source word, target word) links of a finished part, in order."""
    position = {id(eojeol): i for i, eojeol in enumerate(whole.korean)}
    pairs = {
        (position[id(e)], j) for j, word in enumerate(whole.english) for e in word.of if id(e) in position
    }
    return tuple(sorted(pairs))
