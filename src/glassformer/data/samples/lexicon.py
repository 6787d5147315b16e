"""The records of the lexicon and how its plain-text tables are read."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from glassformer.data.samples.conjugate import Stem

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Noun:
    """A Korean noun, its English lemma and how English counts it.

    ``number`` is what a bare noun becomes in English: ``one`` (a book), ``many`` (flowers), ``mass`` (rice),
    ``the`` (the moon) or ``name`` (Seoul, no article). ``counter`` is the Korean counting word, with the
    English measure after a colon where there is one (``잔:cup``). ``classes`` say what goes with it.
    """

    korean: str
    english: str
    number: str
    counter: str
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its English noun phrase, the preposition for being there, and what kind of place it is."""

    korean: str
    english: str
    preposition: str
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """A person: ``form`` is he or she; ``manner`` is name, kin or honored.

    The English of a relative is ``one's mother``; a finished statement makes it *my*, a question *your*.
    """

    korean: str
    english: str
    form: str
    manner: str


@dataclass(frozen=True, slots=True)
class Verb:
    """A Korean verb, its English verb (tail included, ``listen to``), what it takes and where it happens.

    ``noun`` is the noun part of a verb like 공부하다, which a short negation splits (공부 안 해요).
    """

    stem: Stem
    english: str
    objects: frozenset[str]
    places: frozenset[str]
    noun: str = ""


@dataclass(frozen=True, slots=True)
class Adjective:
    """A descriptive verb and its English adjective, with the classes of nouns it can describe."""

    stem: Stem
    english: str
    classes: frozenset[str]


def rows(table: str, build: Callable[[list[str]], Row]) -> tuple[Row, ...]:
    """One record for each line of a table whose columns stand two or more spaces apart."""
    lines = (line.strip() for line in table.splitlines())
    return tuple(build(re.split(r"\s{2,}", line)) for line in lines if line and not line.startswith("#"))


def classes(cell: str) -> frozenset[str]:
    """The classes named in a cell; ``-`` is none."""
    return frozenset(() if cell == "-" else cell.split())


def stem(cell: str) -> Stem:
    """The stem of a lemma; an irregular class follows a slash: ``춥다/ㅂ``."""
    lemma, _, kind = cell.partition("/")
    return Stem(lemma.removesuffix("다"), kind)


def of_class(items: Iterable[Noun], wanted: frozenset[str]) -> tuple[Noun, ...]:
    """The nouns that belong to at least one wanted class, in the order of the tables."""
    return tuple(noun for noun in items if noun.classes & wanted)
