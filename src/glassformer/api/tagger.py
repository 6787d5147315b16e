"""A model that gives every word of a text a tag, opened for use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, islice, pairwise
from typing import Any, ClassVar

from glassformer.api.classifier import AT_ONCE, alike, headed, shares
from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.base.report import warn
from glassformer.data.tags import marks_spans, spans
from glassformer.objectives.tagging import cut, decided

Word = tuple[str, int]
"""A word, and the place of its first character in the text."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A word, its tag and the probability of that, and which characters of the text it is."""

    word: str
    tag: str
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entity:
    """What tags mark: ``text[start:end]``, its kind as ``label``, and the mean probability of its tags."""

    text: str
    label: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Marked:
    """A text, its words with their tags, and the entities that these mark."""

    text: str
    words: tuple[Tagged, ...]
    entities: tuple[Entity, ...]

    def as_json(self) -> dict[str, Any]:
        """``text``, ``words`` and ``entities``, lists of objects with the fields of these."""
        return {
            "text": self.text,
            "words": [asdict(one) for one in self.words],
            "entities": [asdict(one) for one in self.entities],
        }

    def lines(self) -> Iterator[str]:
        """The form of CoNLL files: entities as remarks, each word with a tab and its tag, a blank line."""
        for one in self.entities:
            yield f"## {one.start}-{one.end} {one.label} {one.probability:.4f} {one.text}"
        for word in self.words:
            yield f"{word.word}\t{word.tag}"
        yield ""


class Tagger(Opened):
    """A body with a head that tags words, or characters where it learned from these.

    >>> import glassformer as gf                                      # doctest: +SKIP
    >>> gf.load("runs/tags").predict("Kim lives in Seoul")[0][0]      # doctest: +SKIP
    Tagged(word='Kim', tag='B-PER', probability=0.98, start=0, end=3)
    """

    objective: ClassVar[str] = "tagging"

    @property
    def labels(self) -> tuple[str, ...]:
        """All tags, in the order of the model's scores."""
        return headed(self.model).head.labels

    def predict(self, texts: str | Sequence[str | Sequence[str]]) -> list[list[Tagged]]:
        """The words of each text with their tags; a text is cut at its spaces, or given as a list of words.

        Places are those of characters, in a list of words as if spaces stood between them. Where tags mark
        spans, they are the likeliest of all legal sequences. Words beyond what the model reads at once are
        left out, and a warning says so.
        """
        return list(self.predictions([texts] if isinstance(texts, str) else texts))

    def predictions(self, texts: Iterable[str | Sequence[str]]) -> Iterator[list[Tagged]]:
        """The same in order, a few texts in memory at a time."""
        numbered = enumerate(texts, start=1)
        while some := list(islice(numbered, AT_ONCE)):
            yield from self._tagged([(number, self._words(text)) for number, text in some])

    def answers(self, lines: Iterator[str], top_k: int) -> Iterator[Marked]:  # noqa: ARG002 - one tag a word
        """Each line with its tags and entities."""
        for text, words in paired(lines, self.predictions):
            yield Marked(text, tuple(words), tuple(self.entities(words, text)))

    def entities(self, tagged: Sequence[Tagged], text: str | None = None) -> list[Entity]:
        """What tags mark, in order; nothing where they mark no spans.

        ``text`` is what the words were cut from; without it words that do not touch have a space between.
        """
        if not marks_spans(self.labels):
            return []
        found = []
        for first, last, label in spans([one.tag for one in tagged]):
            words = tagged[first:last]
            start, end = words[0].start, words[-1].end
            shown = _rejoined(words) if text is None else text[start:end]
            sure = sum(one.probability for one in words) / len(words)
            found.append(Entity(shown, label, start, end, sure))
        return found

    def _words(self, text: str | Sequence[str]) -> list[Word]:
        """The words of a text and the place of each."""
        if not isinstance(text, str):
            gap = 1 if headed(self.model).head.unit == "word" else 0
            ends = list(accumulate(len(word) + gap for word in text))
            return [(word, end - gap - len(word)) for word, end in zip(text, ends, strict=True)]
        if headed(self.model).head.unit == "word":
            return [(one[0], one.start()) for one in re.finditer(r"\S+", text)]
        return [(character, place) for place, character in enumerate(text)]

    def _tagged(self, numbered: Sequence[tuple[int, list[Word]]]) -> list[list[Tagged]]:
        head = headed(self.model).head
        listed = [[word for word, _ in words] for _, words in numbered]
        rows = cut(self.tokenizers.source, listed, head.max_length, unit=head.unit)
        found: list[list[Tagged]] = [[] for _ in rows]
        for places in alike([tokens for tokens, _ in rows]):
            if not rows[places[0]][0]:
                continue  # no words, and nothing around them
            probable = shares(self.model, [rows[place][0] for place in places])
            for place, share in zip(places, probable, strict=True):
                real = share[rows[place][1]].numpy()
                told = zip(numbered[place][1], decided(real, self.labels, head.scheme), real, strict=False)
                found[place] = [
                    Tagged(word, self.labels[tag], float(each[tag]), start, start + len(word))
                    for (word, start), tag, each in told
                ]
        for (number, words), (_, starts) in zip(numbered, rows, strict=True):
            if len(starts) < len(words):
                warn(f"text {number}: it has {len(words)} words; only the first {len(starts)} have tags")
        return found


def _rejoined(words: Sequence[Tagged]) -> str:
    """Words as they stood, with a space where they do not touch."""
    parts = [words[0].word]
    for before, word in pairwise(words):
        parts.append((" " if word.start > before.end else "") + word.word)
    return "".join(parts)
