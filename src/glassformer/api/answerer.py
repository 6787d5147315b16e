"""A model that finds answers in texts, opened for use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np
import torch

from glassformer.api.classifier import AT_ONCE, headed
from glassformer.api.opened import Opened
from glassformer.base.errors import RunError, UserError
from glassformer.base.files import open_lines, shown
from glassformer.data.asked import Asked, asked, is_whole
from glassformer.data.example import Example, Features
from glassformer.decode.spans import read
from glassformer.objectives import span
from glassformer.objectives.objective import Told

WINDOWS = 32
"""How many windows on contexts are read at once."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer: a text of the context, from its character ``start`` to before ``end``, and its probability.

    An empty one says that the context has no answer.
    """

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its likeliest answers, best first.

    ``official`` are the signs around its entry where a whole file is answered in SQuAD's form, else None.
    """

    id: str
    question: str
    answers: tuple[Cut, ...]
    official: tuple[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """``id``, ``question``, and ``answers``: ``text``, ``start``, ``end``, ``probability`` of each."""
        return {"id": self.id, "question": self.question, "answers": [asdict(one) for one in self.answers]}

    def lines(self) -> Iterator[str]:
        """The question, then its answers; of a whole file the entry of its predictions: ``"id": "text"``."""
        if self.official is None:
            yield self.question
            for one in self.answers:
                yield f"  {one.probability:.4f}  {' '.join(one.text.split()) or '(no answer)'}"
        else:
            text = self.answers[0].text if self.answers else ""
            entry = f"{_json(self.id)}: {_json(text)}"
            yield f"{self.official[0]}{entry}{self.official[1]}"


class Answerer(Opened):
    """A body with a head that finds where in a text the answer to a question begins and ends.

    >>> import glassformer as gf                                                     # doctest: +SKIP
    >>> gf.load("runs/qa").predict("Who lives in Seoul?", "Kim lives in Seoul.")     # doctest: +SKIP
    [[Cut(text='Kim', start=0, end=3, probability=0.93)]]
    """

    objective: ClassVar[str] = "span"

    def predict(
        self, question: str | Sequence[str], context: str | Sequence[str], top_k: int = 1
    ) -> list[list[Cut]]:
        """The ``top_k`` likeliest answers to each question, best first, cut out of its context.

        Several questions have one context or one each. Probabilities are over all runs of tokens that can be
        an answer, and over there being none for a model that learned to say so. Raises UserError for blank
        texts and for unequal numbers of questions and contexts.
        """
        questions = [question] if isinstance(question, str) else list(question)
        contexts = [context] * len(questions) if isinstance(context, str) else list(context)
        if len(questions) != len(contexts):
            raise UserError(
                f"there are {len(questions)} questions and {len(contexts)} contexts; give one each"
            )
        pairs = zip(questions, contexts, strict=True)
        every = (_checked(f"question {number}", *pair) for number, pair in enumerate(pairs, start=1))
        return [list(one.answers) for one in self.answered(every, top_k)]

    def answers(self, lines: Iterable[str], top_k: int) -> Iterator[Answered]:
        """Each line with its answers: a question, a tab and its context, or both in a JSON object."""
        numbered = ((f"line {number}", line) for number, line in enumerate(lines, start=1))
        return self.answered((_of_line(*one) for one in numbered), top_k)

    def answers_to(self, source: str | Sequence[str], top_k: int) -> Iterator[Answered]:
        """The answers to a file of lines (``-``: stdin) or of SQuAD's form, to lines, or to one question.

        A list of two texts without tabs is a question and its context. Raises UserError with the place.
        """
        if not isinstance(source, str):
            plain = len(source) == 2 and not any("\t" in one or one.lstrip()[:1] == "{" for one in source)
            return self.answers(["\t".join(source)] if plain else source, top_k)
        if not is_whole(source):
            numbered = ((f"{shown(source)}:{number}", line) for number, line in open_lines(source))
            return self.answered((_of_line(*one) for one in numbered if one[1].strip()), top_k)
        return _official(self.answered(asked(source, answered=False), top_k))

    def answered(self, questions: Iterable[Asked], top_k: int = 1) -> Iterator[Answered]:
        """The same in order, a few questions in memory at a time."""
        if top_k < 1:
            raise UserError(f"top_k is {top_k}; a question has at least 1 answer")
        waiting = iter(questions)
        while some := list(islice(waiting, AT_ONCE)):
            for one, told in zip(some, self._told(some), strict=True):
                yield Answered(one.id, one.question, tuple(_cuts(one.context, told, top_k)))

    def _told(self, questions: Sequence[Asked]) -> Iterator[Told]:
        """What the model tells of each question, its windows read together."""
        objective = span.Objective(
            span.Config(), numbers=self.model.config, tokenizers=self.tokenizers, head=headed(self.model).head
        )
        examples = [
            Example({"question": one.question, "context": one.context, "answers": ()}, one.where)
            for one in questions
        ]
        features = objective.encode(examples, self.tokenizers)
        parts = [part for one in features for part in _pieces(one)]
        order = sorted(range(len(parts)), key=lambda at: parts[at].size)
        told: dict[int, Told] = {}
        for chosen in _groups(order, parts):
            told |= dict(zip(chosen, self._read(objective, [parts[at] for at in chosen]), strict=True))
        at = 0
        for one in features:
            count = len(_pieces(one))
            yield _joined([told[number] for number in range(at, at + count)])
            at += count

    @torch.inference_mode()
    def _read(self, objective: span.Objective, features: Sequence[Features]) -> list[Told]:
        batch = objective.collate(features, np.random.default_rng(0)).to(torch.device(self.device))
        _, told = objective.told(self.model, batch)
        if any(np.isnan(one["starts"]).any() or np.isnan(one["ends"]).any() for one in told):
            raise RunError("the model gives scores that are not numbers; its weights are damaged")
        return told


def _pieces(features: Features) -> list[Features]:
    """The same question with at most so many windows each, so that a book needs no more memory."""
    arrays, count = features.arrays, len(features.arrays["sizes"])
    ends = np.concatenate([[0], np.cumsum(arrays["sizes"])])
    found = []
    for first in range(0, count, WINDOWS):
        last = min(first + WINDOWS, count)
        part = {name: arrays[name][first:last] for name in ("sizes", "begins")}
        part["tokens"] = arrays["tokens"][ends[first] : ends[last]]
        found.append(Features({**arrays, **part}))
    return found


def _groups(order: Sequence[int], parts: Sequence[Features]) -> Iterator[list[int]]:
    """Which questions are read together: those of like length, with so many windows in all."""
    group: list[int] = []
    held = 0
    for at in order:
        count = len(parts[at].arrays["sizes"])
        if group and held + count > WINDOWS:
            yield group
            group, held = [], 0
        group.append(at)
        held += count
    if group:
        yield group


def _joined(several: Sequence[Told]) -> Told:
    names = ("starts", "ends", "sizes", "begins", "nulls")
    return {**several[0], **{name: np.concatenate([one[name] for one in several]) for name in names}}


def _cuts(context: str, told: Told, top_k: int) -> list[Cut]:
    """The answers in order: what is decided first, then by probability."""
    found, places = read(told, top_k)
    cuts = [
        Cut(context[start:end], start, end, one.probability)
        for one, (start, end) in zip(found.spans, places, strict=True)
    ]
    if not np.isnan(told["rules"][1]):
        none = Cut("", 0, 0, found.silence)
        likelier = sum(one.probability > found.silence for one in cuts)
        cuts.insert(0 if found.silent else max(1, likelier), none)
    return cuts[:top_k]


def _official(answered: Iterator[Answered]) -> Iterator[Answered]:
    """One JSON object out of all entries, as the scripts of SQuAD and KorQuAD read it."""
    opening, held = "{", None
    for one in answered:
        if held is not None:
            yield replace(held, official=(opening, ","))
            opening = ""
        held = one
    if held is not None:
        yield replace(held, official=(opening, "}"))


def _of_line(where: str, line: str) -> Asked:
    """The question in a line; UserError with its place."""
    if line.lstrip().startswith("{"):
        return _of_json(where, line)
    question, tab, context = line.partition("\t")
    if not tab:
        raise UserError(
            f"{where}: expected a question, a tab and its context, or a JSON object with question and context"
        )
    return _checked(where, question, context)


def _of_json(where: str, line: str) -> Asked:
    try:
        said: Mapping[str, Any] = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid JSON ({str(error).split(':', 1)[0]})") from None
    for name in ("question", "context"):
        if not isinstance(said.get(name), str):
            raise UserError(f"{where}: the object needs a text {name!r}")
    return _checked(where, said["question"], said["context"], str(said.get("id", where.rpartition(":")[2])))


def _checked(where: str, question: str, context: str, name: str = "") -> Asked:
    for what, text in (("question", question), ("context", context)):
        if not text.strip():
            raise UserError(f"{where}: the {what} is empty")
    return Asked(name or where.rpartition(" ")[2].rpartition(":")[2], question, context, (), where)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
