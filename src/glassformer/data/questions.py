"""Questions and the texts that answer them, as a recipe names them: files of SQuAD, KorQuAD or JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Literal

from pydantic import Field

from glassformer.base import report
from glassformer.base.files import stop
from glassformer.data.asked import Answer, Asked, asked, nearest
from glassformer.data.columns import Bad, behind, counted, ignored, part_of, shared_out
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_tokenizer, storing

tokenizer_folder = no_tokenizer

LABELS = ("start", "end")
"""What a token is scored for: to be the first of an answer, and to be the last."""


class Config(Divided):
    """Which questions are trained on (the recipe's ``data``, ``name: questions``).

    A path is a file in the form of SQuAD 1.1 or 2.0 (Rajpurkar et al. 2016, 2018) or KorQuAD 1.0
    (``.json``), or JSON lines (``.jsonl``) with ``question``, ``context`` and ``answers``, perhaps compressed
    with gzip; ``train.json[:90%]`` is the beginning of a file, in contexts, so that none is on both sides. An
    answer says with ``answer_start`` at which character of its context it begins; a question without answers
    says ``is_impossible``. ``repair`` looks for the text of an answer where it does not stand at its place,
    and leaves out what is nowhere. A row has at most ``max_length`` tokens; a longer context is read in
    windows. ``tokens_per_batch`` bounds rows times the longest row over all ranks together.
    """

    name: Literal["questions"] = "questions"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    repair: bool = False
    max_length: int = Field(384, ge=8)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def read(self, path: str, dropped: Dropped | None = None, bad: Bad = stop) -> Iterator[Example]:
        """The questions at one path: fields ``id``, ``question``, ``context``, ``answers``.

        ``answers`` are pairs of a text and where it begins, none for a question that cannot be answered.
        Raises UserError with the place: article, paragraph and question, or file and line, unless ``bad``
        takes questions that are wrong.
        """
        moved, share = 0, shared_out(path)[1]
        for one in part_of(self._contexts(path, ignored), self._contexts(path, bad), share):
            for question in one:
                answers, repaired = self._answers(question)
                moved += repaired
                if answers or not question.answers:
                    yield _example(question, answers)
                elif dropped is not None:
                    dropped.note("without an answer that stands in its context", question.where)
        if moved and dropped is not None:
            report.say(
                f"{path}: {counted(moved, 'answer')} stood elsewhere in the context than the file says"
            )

    def _contexts(self, path: str, bad: Bad) -> Iterator[list[Asked]]:
        """Questions in a row about one context."""
        found = asked(shared_out(path)[0], answered=True, repair=self.repair, bad=bad)
        for _, several in groupby(found, key=lambda one: one.context):
            yield list(several)

    def _answers(self, question: Asked) -> tuple[tuple[Answer, ...], int]:
        """The answers that stand in the context, and how many of them stand elsewhere than the file says."""
        if not self.repair:
            return question.answers, 0
        places = [(text, start, nearest(question.context, text, start)) for text, start in question.answers]
        kept = tuple((text, place) for text, _, place in places if place is not None)
        return kept, sum(start != place for _, start, place in places if place is not None)


def _example(question: Asked, answers: tuple[Answer, ...]) -> Example:
    fields = {
        "id": question.id,
        "question": question.question,
        "context": question.context,
        "answers": answers,
    }
    return Example(fields, question.where)


def facts(config: Config) -> dict[str, Any]:
    """What only the data knows: what tokens are scored for, and whether any question cannot be answered."""
    paths = [source.path for source in config.sources("train")]
    found = (not one.fields["answers"] for path in paths for one in config.read(path))
    return {"labels": LABELS, "impossible": any(list(found))}


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str]]:
    """The texts of a split: what a tokenizer is trained on. Raises ``UserError`` for unusable files."""
    for source in config.sources(split):
        last = None
        for example in config.read(source.path):
            if (context := example.fields["context"]) != last:
                yield (context,)
            last = context
            yield (example.fields["question"],)


def look(config: Config, example: Example) -> Look:  # noqa: ARG001 - every example says it all
    """The question and its context, and the right answers."""
    answers = " / ".join(dict.fromkeys(text for text, _ in example.fields["answers"]))
    return Look((example.fields["question"], example.fields["context"]), answers)


stores = storing(lambda config: {"repair": config.repair}, behind)
