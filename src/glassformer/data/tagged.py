"""Texts with a tag for every word as a recipe names them: CoNLL columns or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.base.files import open_lines, shown
from glassformer.data import columns
from glassformer.data.columns import JSON, behind, counted, part_of, records, shared_out, suffix, text_of
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.labelled import ordered
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_tokenizer, storing

UNIVERSAL = ".conllu"
PLACES = (2, 4)  # of the form and the universal part of speech in CoNLL-U (Nivre et al. 2020)

tokenizer_folder = no_tokenizer


class Config(Divided):
    """Which tagged texts are trained on (the recipe's ``data``, ``name: tagged``).

    A path is a file with a word and its tag in each line and a blank line after each sentence (CoNLL),
    ``.conllu`` of Universal Dependencies, or JSON lines with the lists ``words`` and ``tags``, perhaps
    compressed with gzip; ``tags.conll[:90%]`` is the beginning of a file, in sentences. ``columns`` are the
    places of word and tag, from 1: the first and the last where nothing is said, 2 and 4 (the universal part
    of speech) in CoNLL-U. Where words were given several tags, ``alternatives`` is what parts them, such as a
    comma, and the first counts. ``unit: character`` is for files with a character in each line, spaces too.
    ``tokens_per_batch`` bounds rows times the longest row, padding included, over all ranks together.
    """

    name: Literal["tagged"] = "tagged"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    columns: tuple[int, int] | None = None
    alternatives: str | None = Field(None, min_length=1)
    words: str = Field("words", min_length=1)
    tags: str = Field("tags", min_length=1)
    unit: Literal["word", "character"] = "word"
    max_length: int = Field(256, ge=4)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def read(self, path: str, dropped: Dropped | None = None) -> Iterator[Example]:
        """The sentences at one path: fields ``words``, ``tags`` and ``places``, where each word stands.

        Nothing is ``dropped``.

        Raises UserError with file and line.
        """
        del dropped
        name, share = shared_out(path)
        found = (self._sentences(name) for _ in range(2))
        for one in part_of(next(found), next(found), share):
            fields = {"words": one.words, "tags": one.tags, "places": one.places}
            yield Example(fields, one.places[0])

    def _sentences(self, name: str) -> Iterator[_Sentence]:
        return self._json(name) if suffix(name) in JSON else self._columns(name)

    def _columns(self, name: str) -> Iterator[_Sentence]:
        universal = suffix(name) == UNIVERSAL
        chosen = self.columns or (PLACES if universal else (1, 0))
        sentence, width, empty = _Sentence(), 0, True
        for number, line in open_lines(name):
            empty = False
            if not line.strip():
                if sentence.words:
                    yield sentence
                sentence = _Sentence()
                continue
            if line.startswith("#" if universal else "## ") and not sentence.words:
                continue
            cells = line.split("\t") if "\t" in line else line.split()
            if (universal and not cells[0].isdecimal()) or cells[0] == "-DOCSTART-":
                continue  # "1-2" and "1.1" are no words of the text; the other parts documents
            where = f"{shown(name)}:{number}"
            width = width or len(cells)
            _check_width(cells, width, chosen, where)
            sentence.add(cells[chosen[0] - 1], self._first(cells[chosen[1] - 1]), where, self.unit)
        if sentence.words:
            yield sentence
        if empty:
            raise UserError(f"{shown(name)} is empty; each line should have a word and its tag")

    def _json(self, name: str) -> Iterator[_Sentence]:
        for where, record in records(name):
            lists = [columns.field(record, key, where) for key in (self.words, self.tags)]
            if not all(isinstance(one, list) for one in lists) or len(lists[0]) != len(lists[1]):
                raise UserError(
                    f"{where}: the fields {self.words!r} and {self.tags!r} must be lists of the same length"
                )
            sentence = _Sentence()
            for word, tag in zip(*lists, strict=True):
                told = text_of(word, self.words, where), self._first(text_of(tag, self.tags, where))
                sentence.add(*told, where, self.unit)
            if sentence.words:
                yield sentence

    def _first(self, tag: str) -> str:
        return tag if self.alternatives is None else tag.split(self.alternatives, maxsplit=1)[0]


@dataclass
class _Sentence:
    """The words of a sentence, their tags, and the line that each stands in."""

    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)

    def add(self, word: str, tag: str, where: str, unit: str) -> None:
        """One more word; UserError where word or tag is empty, or too long for a character."""
        if not tag.strip():
            raise UserError(f"{where}: the tag of {word!r} is empty; a word outside of all has the tag O")
        if not word or (unit == "word" and not word.strip()):
            raise UserError(f"{where}: the word is empty; set data.unit=character if spaces are tagged too")
        if unit == "character" and len(word) > 1:
            raise UserError(f"{where}: {word!r} is more than a character; leave out data.unit")
        self.words.append(word)
        self.tags.append(tag.strip())
        self.places.append(where)


def _check_width(cells: list[str], width: int, chosen: tuple[int, int], where: str) -> None:
    """Raise UserError unless the line has as many columns as the first and those that are asked for."""
    if len(cells) != width:
        raise UserError(f"{where}: has {counted(len(cells), 'column')} where the first word has {width}")
    if width < 2:
        raise UserError(f"{where}: has one column; a line needs a word and its tag, with a tab between them")
    if not 1 <= chosen[0] <= width or not 0 <= chosen[1] <= width:
        raise UserError(f"{where}: data.columns asks for {chosen[0]} and {chosen[1]} of {width} columns")


def facts(config: Config) -> dict[str, Any]:
    """What only the data knows: the tags of the training texts as ``labels``, and what they are of.

    Raises UserError when there are not two.
    """
    paths = [source.path for source in config.sources("train")]
    labels = ordered(
        {tag for path in paths for example in config.read(path) for tag in example.fields["tags"]}
    )
    if not labels:
        raise UserError(f"{', '.join(paths)}: there is no word with a tag")
    if len(labels) < 2:
        raise UserError(f"{', '.join(paths)}: all words have one tag, {labels[0]}; telling apart needs two")
    return {"labels": labels, "unit": config.unit}


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The texts of a split: what a tokenizer is trained on. Raises ``UserError`` for unusable files."""
    for source in config.sources(split):
        for example in config.read(source.path):
            yield (between(config).join(example.fields["words"]),)


def look(config: Config, example: Example) -> Look:
    """The text of the words, and their tags."""
    tags = tuple(example.fields["tags"])
    return Look((between(config).join(example.fields["words"]),), " ".join(tags), tags)


def between(config: Config) -> str:
    """What stands between two words of a text."""
    return " " if config.unit == "word" else ""


def _read(config: Config) -> dict[str, Any]:
    return {"columns": [config.columns, config.words, config.tags, config.unit, config.alternatives]}


stores = storing(_read, behind)
