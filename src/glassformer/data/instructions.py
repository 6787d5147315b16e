"""Questions with their answers, in one turn or several, as a recipe names them: what is read and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from glassformer.base.errors import UserError
from glassformer.base.files import stop
from glassformer.base.plugins import suggest
from glassformer.data.columns import (
    JSON,
    Bad,
    behind,
    handed,
    ignored,
    part_of,
    records,
    rows,
    shared_out,
    suffix,
    text_of,
)
from glassformer.data.example import Example
from glassformer.data.filter import Dropped
from glassformer.data.look import Look
from glassformer.data.sources import Divided, Sources, Split, no_facts, no_tokenizer, storing

ROLES = ("system", "user", "assistant")

Message = tuple[str, str]


class Config(Divided):
    """Which conversations are trained on (the recipe's ``data``, ``name: instructions``).

    A path is a file of JSON lines, or a TSV or CSV file whose first line names its columns, perhaps
    compressed with gzip; ``chat.jsonl[:90%]`` is the beginning of a file, in conversations. A line of JSON
    has ``messages``, a list of ``{"role": "user", "content": "…"}`` with roles system, user and assistant; or
    ``instruction``, perhaps ``input``, and ``output``; or ``prompt`` and ``completion``; or the columns of a
    table, which ``question`` and ``answer`` name. ``tokens_per_batch`` bounds rows times the longest row,
    padding included, over all ranks together.
    """

    name: Literal["instructions"] = "instructions"
    train: Sources
    valid: Sources | None = None
    test: Sources | None = None
    question: str = Field("question", min_length=1)
    answer: str = Field("answer", min_length=1)
    tokens_per_batch: int = Field(4096, ge=1)
    workers: int = Field(1, ge=0, le=64)

    def read(self, path: str, dropped: Dropped | None = None, bad: Bad = stop) -> Iterator[Example]:
        """The conversations at one path: the field ``messages``, pairs of a role and what is said.

        Nothing is ``dropped``: raises UserError, with file and line, for a turn without text, of an unknown
        role or out of turn, and for a conversation without an answer, unless ``bad`` takes what is wrong.
        """
        del dropped
        name, share = shared_out(path)
        found = (self._conversations(name, one) for one in (ignored, bad))
        for where, messages in part_of(next(found), next(found), share):
            yield Example({"messages": tuple(messages)}, where)

    def _conversations(self, name: str, bad: Bad) -> Iterator[tuple[str, list[Message]]]:
        for where, record in self._records(name, bad):
            try:
                messages = self._of_record(record, where)
                check(messages, where)
            except UserError as error:
                handed(error, where, bad)
            else:
                yield where, messages

    def _records(self, name: str, bad: Bad) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The lines of JSON, or the rows of a table as if they were such."""
        if suffix(name) in JSON:
            return records(name, bad)
        return iter(rows(name, (self.question, self.answer), bad))

    def _of_record(self, record: Mapping[str, Any], where: str) -> list[Message]:
        """The turns in a line of JSON, by the first form that it has."""
        if "messages" in record:
            return _turns(record["messages"], where)
        for asked, more, told in (
            ("instruction", "input", "output"),
            ("prompt", None, "completion"),
            (self.question, None, self.answer),
        ):
            if asked in record and told in record:
                beside = text_of(record.get(more), more, where) if more else ""
                parts = [part for part in (text_of(record[asked], asked, where), beside) if part.strip()]
                return [("user", "\n\n".join(parts)), ("assistant", text_of(record[told], told, where))]
        listed = ", ".join(record) or "no fields"
        raise UserError(
            f"{where}: this line has {listed}; a conversation has messages, or instruction and output, "
            f"prompt and completion, or {self.question} and {self.answer}"
        )


def _turns(messages: Any, where: str) -> list[Message]:
    """The turns in a list of messages; UserError for what is none."""
    if not isinstance(messages, list) or not messages:
        raise UserError(f"{where}: messages must be a list of turns with a role and content")
    found = []
    for number, one in enumerate(messages, start=1):
        if not isinstance(one, dict) or not {"role", "content"} <= one.keys():
            raise UserError(f"{where}: turn {number} needs a role and content")
        role = one["role"]
        if role not in ROLES:
            known = ", ".join(ROLES) + suggest(str(role), ROLES)
            raise UserError(f"{where}: turn {number} has the unknown role {role!r}; known are {known}")
        found.append((role, text_of(one["content"], "content", where)))
    return found


def check(messages: list[Message], where: str) -> None:
    """Raise UserError for a turn that is empty or out of turn, and where there is no answer."""
    before = ""
    for number, (role, content) in enumerate(messages, start=1):
        if not content.strip():
            what = "answer" if role == "assistant" else "question" if role == "user" else "system text"
            raise UserError(f"{where}: turn {number} is an empty {what}")
        if role == before:
            what = "answers" if role == "assistant" else "questions" if role == "user" else "system texts"
            raise UserError(f"{where}: turns {number - 1} and {number} are two {what} in a row; join them")
        if role == "system" and before:
            raise UserError(f"{where}: turn {number} is a system text; it can only come first")
        before = role
    if not any(role == "assistant" for role, _ in messages):
        raise UserError(f"{where}: there is no answer; a conversation needs a turn of the assistant")


tokenizer_folder = no_tokenizer
facts = no_facts


def texts(config: Config, split: Split = "train") -> Iterator[tuple[str, ...]]:
    """Who speaks and what is said, for each turn of a split: what a tokenizer is trained on."""
    for source in config.sources(split):
        for example in config.read(source.path):
            yield from example.fields["messages"]


def look(config: Config, example: Example) -> Look:  # noqa: ARG001 - every example says it all
    """What is asked, and all that is answered."""
    messages: tuple[Message, ...] = example.fields["messages"]
    asked = tuple(content for role, content in messages if role != "assistant")
    return Look(asked, "\n".join(content for role, content in messages if role == "assistant"))


stores = storing(lambda config: {"columns": [config.question, config.answer]}, behind)
