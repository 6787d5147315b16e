"""A model that gives every word of a text a tag, opened for use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, ClassVar

from glassformer.api.classifier import AT_ONCE, alike, headed, shares
from glassformer.api.lines import paired
from glassformer.api.opened import Opened
from glassformer.base.report import warn
from glassformer.data.tags import marks_spans, spans
from glassformer.objectives.tagging import cut


@dataclass(frozen=True, slots=True)
class Tagged:
    """A word, its likeliest tag and the probability of that."""

    word: str
    tag: str
    probability: float


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


class Tagger(Opened):
    """A body with a head that tags words, or characters where it learned from these.

    >>> import glassformer as gf                                      # doctest: +SKIP
    >>> gf.load("runs/tags").predict("Kim lives in Seoul")[0][0]      # doctest: +SKIP
    Tagged(word='Kim', tag='PROPN', probability=0.98)
    """

    objective: ClassVar[str] = "tagging"

    @property
    def labels(self) -> tuple[str, ...]:
        """All tags, in the order of the model's scores."""
        return headed(self.model).head.labels

    def predict(self, texts: str | Sequence[str | Sequence[str]]) -> list[list[Tagged]]:
        """The words of each text with their tags; a text is cut at its spaces, or given as a list of words.

        Words beyond what the model reads at once are left out, and a warning says so.
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
            yield Marked(text, tuple(words), tuple(self.entities(words)))

    def entities(self, tagged: Sequence[Tagged]) -> list[dict[str, str]]:
        """What BIO tags mark: ``text`` and ``kind`` of each entity; nothing where tags are no BIO."""
        if not marks_spans(self.labels):
            return []
        between = " " if headed(self.model).head.unit == "word" else ""
        return [
            {"text": between.join(one.word for one in tagged[first:last]), "kind": kind}
            for first, last, kind in spans([one.tag for one in tagged])
        ]

    def _words(self, text: str | Sequence[str]) -> list[str]:
        if not isinstance(text, str):
            return list(text)
        return text.split() if headed(self.model).head.unit == "word" else list(text)

    def _tagged(self, numbered: Sequence[tuple[int, list[str]]]) -> list[list[Tagged]]:
        longest = headed(self.model).head.max_length
        listed = [words for _, words in numbered]
        rows = cut(self.tokenizers.source, listed, longest)
        found: list[list[Tagged]] = [[] for _ in rows]
        for places in alike([tokens for tokens, _ in rows]):
            if not rows[places[0]][0]:
                continue  # no words, and nothing around them
            probable = shares(self.model, [rows[place][0] for place in places])
            for place, share in zip(places, probable, strict=True):
                starts = rows[place][1]
                best = share[starts].max(dim=-1)
                told = zip(listed[place], best.indices.tolist(), best.values.tolist(), strict=False)
                found[place] = [Tagged(word, self.labels[tag], value) for word, tag, value in told]
        for (number, words), (_, starts) in zip(numbered, rows, strict=True):
            if len(starts) < len(words):
                warn(f"text {number}: it has {len(words)} words; only the first {len(starts)} have tags")
        return found
