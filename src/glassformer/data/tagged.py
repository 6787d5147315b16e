"""Texts with a tag for every word as a recipe names them: CoNLL columns or JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.base.files import open_lines, shown, stop
from glassformer.data import columns
from glassformer.data.columns import (
    JSON,
    Bad,
    behind,
    counted,
    handed,
    ignored,
    part_of,
    records,
    shared_out,
    suffix,
    text_of,
)
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.labelled import ordered
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_tokenizer, storing
from glassformer.data.tags import OUTSIDE, Scheme, all_tags, converted, faults, marks_spans, scheme_of

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
    Tags that mark spans are ``written`` in IOB1, IOB2 or BIOES, which a file is found to be in where nothing
    is said, and are learned in ``scheme``, as they are where nothing is said. ``illegal`` sequences of them,
    such as an ``I-PER`` behind an ``O`` in IOB2, are kept, refused, or repaired as conlleval reads them,
    which a change of scheme does too.
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
    written: Literal["auto", "iob1", "iob2", "bioes"] = "auto"
    scheme: Scheme | None = None
    illegal: Literal["keep", "refuse", "repair"] = "keep"
    max_length: int = Field(256, ge=4)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def read(self, path: str, dropped: Dropped | None = None, bad: Bad = stop) -> Iterator[Example]:
        """The sentences at one path: fields ``words``, ``tags`` and ``places``, where each word stands.

        Nothing is ``dropped``. Raises UserError with file and line, unless ``bad`` takes what is wrong.
        """
        del dropped
        name, share = shared_out(path)
        known = self._known(name)
        found = (self._sentences(name, one) for one in (ignored, bad))
        for one in part_of(next(found), next(found), share):
            tags = one.tags if known is None else self._settled(one, known, bad)
            yield Example({"words": one.words, "tags": tags, "places": one.places}, one.places[0])

    def scheme_at(self, path: str) -> Scheme | None:
        """The scheme that a file is written in; None where its tags mark no spans."""
        if self.written != "auto":
            return self.written
        return scheme_of(one.tags for one in self._sentences(shared_out(path)[0], ignored))

    def _known(self, name: str) -> Scheme | None:
        """The scheme to judge tags by, where they are to be judged; UserError where they mark no spans."""
        if self.scheme is None and self.illegal == "keep":
            return None
        known = self.scheme_at(name)
        if known is None:
            raise UserError(
                f"{shown(name)}: its tags mark no spans, with O outside and B-, I- before kinds; "
                "leave out data.scheme and data.illegal"
            )
        return known

    def _settled(self, one: _Sentence, known: Scheme, bad: Bad) -> list[str]:
        """The tags as they are learned; ``bad`` is told of what is illegal where that is refused."""
        if self.illegal == "refuse":
            for place, why in faults(one.tags, known):
                bad(one.places[place], f"the tag {why}; mend it, or set data.illegal=repair")
        return converted(one.tags, self.scheme or known)

    def _sentences(self, name: str, bad: Bad) -> Iterator[_Sentence]:
        return self._json(name, bad) if suffix(name) in JSON else self._columns(name, bad)

    def _columns(self, name: str, bad: Bad) -> Iterator[_Sentence]:
        universal = suffix(name) == UNIVERSAL
        chosen = self.columns or (PLACES if universal else (1, 0))
        sentence, width, empty = _Sentence(), 0, True
        for number, line in open_lines(name, bad):
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
            try:
                _check_width(cells, width, chosen, where)
                sentence.add(cells[chosen[0] - 1], self._first(cells[chosen[1] - 1]), where, self.unit)
            except UserError as error:
                handed(error, where, bad)
        if sentence.words:
            yield sentence
        if empty:
            raise UserError(f"{shown(name)} is empty; each line should have a word and its tag")

    def _json(self, name: str, bad: Bad) -> Iterator[_Sentence]:
        for where, record in records(name, bad):
            try:
                sentence = self._record(record, where)
            except UserError as error:
                handed(error, where, bad)
            else:
                if sentence.words:
                    yield sentence

    def _record(self, record: Mapping[str, Any], where: str) -> _Sentence:
        lists = [columns.field(record, key, where) for key in (self.words, self.tags)]
        if not all(isinstance(one, list) for one in lists):
            raise UserError(f"{where}: the fields {self.words!r} and {self.tags!r} must be lists")
        if len(lists[0]) != len(lists[1]):
            raise UserError(
                f"{where}: {counted(len(lists[0]), 'word')} in {self.words!r} but {len(lists[1])} in "
                f"{self.tags!r}; both must be lists of the same length"
            )
        sentence = _Sentence()
        for word, tag in zip(*lists, strict=True):
            told = text_of(word, self.words, where), self._first(text_of(tag, self.tags, where))
            sentence.add(*told, where, self.unit)
        return sentence

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
    """What only the data knows: the tags of the training texts as ``labels``, how many, and what they are of.

    ``scheme`` is that of tags which mark spans, else None. Where a scheme is asked for, every kind of span
    has all its tags, so that a kind seen only in long spans can be told of a short one too. Raises UserError
    when there are not two.
    """
    paths = [source.path for source in config.sources("train")]
    counts = Counter(tag for path in paths for example in config.read(path) for tag in example.fields["tags"])
    labels = ordered(counts)
    if not labels:
        raise UserError(f"{', '.join(paths)}: there is no word with a tag")
    if len(labels) < 2:
        raise UserError(f"{', '.join(paths)}: all words have one tag, {labels[0]}; telling apart needs two")
    scheme = config.scheme or config.scheme_at(paths[0])
    if config.scheme is not None:
        kinds = {label[2:] for label in labels if label != OUTSIDE}
        labels = ordered(set(all_tags(kinds, config.scheme)))
    return {
        "labels": labels,
        "counts": tuple(counts[tag] for tag in labels),
        "unit": config.unit,
        "scheme": scheme if marks_spans(labels) else None,
    }


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The texts of a split: what a tokenizer is trained on. Raises ``UserError`` for unusable files."""
    for source in config.sources(split):
        for example in config.read(source.path):
            yield (between(config).join(example.fields["words"]),)


def look(config: Config, example: Example) -> Look:
    """The text of the words, their tags, and what is illegal in these by the scheme of their file."""
    tags, places = tuple(example.fields["tags"]), example.fields["places"]
    scheme = config.scheme or _scheme_of(config, example.where.rpartition(":")[0])
    illegal = [] if scheme is None else list(faults(tags, scheme))
    wrong = tuple(
        ("wrong", f"line {places[place].rpartition(':')[2]}: the tag {why}") for place, why in illegal
    )
    return Look((between(config).join(example.fields["words"]),), " ".join(tags), tags, wrong=wrong)


@lru_cache(maxsize=16)
def _scheme_of(config: Config, name: str) -> Scheme | None:
    return config.scheme_at(name) if Path(name).is_file() else None


def between(config: Config) -> str:
    """What stands between two words of a text."""
    return " " if config.unit == "word" else ""


def _read(config: Config) -> dict[str, Any]:
    columns = [config.columns, config.words, config.tags, config.unit, config.alternatives]
    return {"columns": [*columns, config.written, config.scheme, config.illegal]}


stores = storing(_read, behind)
