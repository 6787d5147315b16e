"""Texts or images in; what the model tells of them out, ready to be printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from glassformer.api.classifier import Classifier
from glassformer.api.contextualizer import Contextual, Contextualizer
from glassformer.api.filler import Filler
from glassformer.api.lines import lines_of, paired
from glassformer.api.opened import Opened
from glassformer.api.tagger import Tagged, Tagger
from glassformer.api.viewer import Viewer
from glassformer.decode.fill import Blank


@dataclass(frozen=True, slots=True)
class Filled:
    """A text and its blanks."""

    text: str
    blanks: tuple[Blank, ...]

    def as_json(self) -> dict[str, Any]:
        """``text`` and ``blanks``, of which each has ``start``, ``end`` and ``candidates``."""
        return {"text": self.text, "blanks": [_record(blank) for blank in self.blanks]}

    def lines(self) -> Iterator[str]:
        """The text, then each blank with its candidates, the likeliest first."""
        yield self.text
        for number, blank in enumerate(self.blanks, start=1):
            if len(self.blanks) > 1:
                yield f"  blank {number}"
            for one in blank.candidates:
                yield f"  {one.probability:.4f}  {one.text}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """An image or a text (``kind``) and its likeliest labels."""

    kind: Literal["image", "text"]
    name: str
    labels: tuple[tuple[str, float], ...]

    def as_json(self) -> dict[str, Any]:
        """``image`` or ``text``, and ``labels``, of which each has ``label`` and ``probability``."""
        found = [{"label": label, "probability": share} for label, share in self.labels]
        return {self.kind: self.name, "labels": found}

    def lines(self) -> Iterator[str]:
        """The image or text, then its labels, the likeliest first."""
        yield self.name
        for label, share in self.labels:
            yield f"  {share:.4f}  {label}"


@dataclass(frozen=True, slots=True)
class Marked:
    """A text, its words with their tags, and the entities that these mark."""

    text: str
    words: tuple[Tagged, ...]
    entities: tuple[dict[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """``text``; ``words`` (``word``, ``tag``, ``probability``); ``entities`` (``text``, ``kind``)."""
        return {
            "text": self.text,
            "words": [asdict(one) for one in self.words],
            "entities": list(self.entities),
        }

    def lines(self) -> Iterator[str]:
        """Each word with its tag, a tab between them, then a blank line: the form of CoNLL files."""
        for one in self.words:
            yield f"{one.word}\t{one.tag}"
        yield ""


Answer = Filled | Labelled | Marked | Contextual


def predictions(model: Opened, source: str | Sequence[str] = "-", top_k: int = 5) -> Iterator[Answer]:
    """What is predicted for each line of a file (``-``: stdin), or each of a list: texts, or paths of images.

    In order and in constant memory, but for a ``Contextualizer``, which compares all texts and so reads them
    first; a blank line of text has no blanks and no labels. Raises what the models' own methods raise.
    """
    told = next(function for kind, function in TOLD.items() if isinstance(model, kind))
    yield from told(model, lines_of(source), top_k)


def _filled(model: Filler, lines: Iterator[str], top_k: int) -> Iterator[Filled]:
    for text, blanks in paired(lines, lambda texts: model.predictions(texts, top_k)):
        yield Filled(text, tuple(blanks))


def _seen(model: Viewer, lines: Iterator[str], top_k: int) -> Iterator[Labelled]:
    named = (line for line in lines if line.strip())
    for path, labels in paired(named, lambda paths: model.predictions(paths, top_k)):
        yield Labelled("image", path, tuple(labels))


def _classified(model: Classifier, lines: Iterator[str], top_k: int) -> Iterator[Labelled]:
    for text, labels in paired(lines, lambda texts: model.predictions(texts, top_k)):
        yield Labelled("text", text, tuple(labels))


def _tagged(model: Tagger, lines: Iterator[str], top_k: int) -> Iterator[Marked]:  # noqa: ARG001 - one tag a word
    for text, words in paired(lines, model.predictions):
        yield Marked(text, tuple(words), tuple(model.entities(words)))


def _contextual(model: Contextualizer, lines: Iterator[str], top_k: int) -> Iterator[Contextual]:
    # Tokens are compared with those of all texts, so all are read first.
    yield from model.predict(list(lines), top_k)


TOLD: Mapping[type[Opened], Callable[[Any, Iterator[str], int], Iterator[Answer]]] = {
    Filler: _filled,
    Viewer: _seen,
    Contextualizer: _contextual,
    Classifier: _classified,
    Tagger: _tagged,
}
"""For each kind of opened model how it answers lines."""


def _record(blank: Blank) -> dict[str, Any]:
    candidates = [
        {"text": one.text, "token": one.token, "probability": one.probability} for one in blank.candidates
    ]
    return {"start": blank.start, "end": blank.end, "candidates": candidates}
