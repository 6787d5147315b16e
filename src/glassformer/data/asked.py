"""Questions in files: the JSON of SQuAD and KorQuAD, or JSON lines; every mistake is told with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glassformer.base.errors import UserError
from glassformer.base.files import open_lines, shown, stop, whole
from glassformer.base.plugins import suggest
from glassformer.data.columns import Bad, handed, records, suffix

Answer = tuple[str, int]
"""The text of an answer, and the character of the context at which it begins."""

NOWHERE = -1
"""The beginning of an answer of which the file does not say where it stands."""

_AROUND = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its context and the right answers, of which one that cannot be answered has none."""

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    where: str


def asked(path: str, *, answered: bool, repair: bool = False, bad: Bad = stop) -> Iterator[Asked]:
    """The questions of a file in order; ``answered`` says that each must tell its answers, or have none.

    Answers stand where they are said to, or with ``repair`` perhaps elsewhere. Whatever is not as it should
    be, and an id that comes twice, is handed to ``bad`` with its place, which raises UserError, and left out;
    a file that cannot be read at all raises it whatever ``bad`` does.
    """
    seen: dict[str, str] = {}
    for one in _squad(path, bad) if is_whole(path) else _lines(path, bad):
        where = one[2]
        try:
            found = _asked(*one, answered=answered, repair=repair)
        except UserError as error:
            handed(error, where, bad)
            continue
        if (before := seen.setdefault(found.id, where)) is not where:
            # Of two in one paragraph the first is sound, and its place must not be that of the second.
            again = f"{where}, again" if before == where else where
            bad(again, f"the id {found.id!r} is also that of {before}; ids must differ")
            continue
        yield found


def is_whole(path: str) -> bool:
    """Whether a file is one JSON object (SQuAD's form) and not lines."""
    return suffix(path) == ".json"


def nearest(context: str, text: str, start: int) -> int | None:
    """Where a text stands in its context, nearest to where it should; None where it is nowhere.

    >>> nearest("ab ab", "ab", 2)
    3
    """
    places, at = [], context.find(text)
    while at >= 0:
        places.append(at)
        at = context.find(text, at + 1)
    return min(places, key=lambda place: (abs(place - start), -place)) if places else None


# --- the two forms -----------------------------------------------------------------------------------------

_Raw = tuple[Mapping[str, Any], str, str, str]
"""What is said of a question, its context, its place, and the id it has if it is given none."""


def _squad(path: str, bad: Bad) -> Iterator[_Raw]:
    """``{"data": [{"paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}``."""
    whole = _object(_parsed(path), shown(path))
    for number, article in enumerate(_list(whole, "data", shown(path)), start=1):
        at = f"{shown(path)}: article {number}"
        try:
            paragraphs = _list(_object(article, at), "paragraphs", at)
        except UserError as error:
            handed(error, at, bad)
            continue
        for count, paragraph in enumerate(paragraphs, start=1):
            yield from _questions(paragraph, f"{at}, paragraph {count}", bad)


def _questions(paragraph: Any, place: str, bad: Bad) -> Iterator[_Raw]:
    """The questions about one context."""
    try:
        context = _text(_object(paragraph, place), "context", place)
        listed = _list(paragraph, "qas", place)
    except UserError as error:
        handed(error, place, bad)
        return
    for order, one in enumerate(listed, start=1):
        where = f"{place}, question {order}"
        try:
            said = _object(one, where)
            name = _text(said, "id", where)
        except UserError as error:
            handed(error, where, bad)
        else:
            yield said, context, f"{place}, question {name}", name


def _lines(path: str, bad: Bad) -> Iterator[_Raw]:
    for where, record in records(path, bad):
        try:
            context = _text(record, "context", where)
        except UserError as error:
            handed(error, where, bad)
        else:
            yield record, context, where, where.rpartition(":")[2]


def _parsed(path: str) -> Any:
    """The JSON of a whole file; one that was cut short or is something else is told with its line."""
    text = "\n".join(line for _, line in open_lines(path))
    if not text.strip():
        raise UserError(f"{shown(path)} is empty; it should be a JSON object in the form of SQuAD")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{shown(path)}:{error.lineno}: {_wrong(error)}") from None
    except RecursionError:
        raise UserError(f"{shown(path)}: not in the form of SQuAD (too deep)") from None


def _wrong(error: json.JSONDecodeError) -> str:
    """What is the matter with a file that cannot be parsed."""
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
        return "the file ends in the middle; it was cut short"
    if error.msg == "Extra data":
        return "there is more than one JSON object; the name of JSON lines ends with .jsonl"
    return f"not valid JSON ({error.msg} at column {error.colno})"


# --- one question ------------------------------------------------------------------------------------------


def _asked(
    said: Mapping[str, Any], context: str, where: str, name: str, *, answered: bool, repair: bool
) -> Asked:
    question = _text(said, "question", where)
    for what, text in (("context", context), ("question", question)):
        if not text.strip():
            raise UserError(f"{where}: the {what} is empty")
    name = str(said["id"]) if isinstance(said.get("id"), str | int) else name
    answers = _answers(said, context, where, repair=repair) if answered else ()
    return Asked(name, question, context, answers, where)


def _answers(said: Mapping[str, Any], context: str, where: str, *, repair: bool) -> tuple[Answer, ...]:
    impossible = said.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise UserError(f"{where}: is_impossible must be true or false")
    listed, none = _listed(_field(said, "answers", where), where)
    if impossible and listed:
        raise UserError(f"{where}: is_impossible is true, and there are answers; one of the two is wrong")
    if not impossible and not listed and not none:
        raise UserError(
            f"{where}: there are no answers; give one, or say is_impossible: true if the context has none"
        )
    return tuple(_answer(one, context, where, repair=repair) for one in listed)


def _listed(answers: Any, where: str) -> tuple[list[Any], bool]:
    """Answers as a list, and whether the form says by an empty one that there are none.

    Beside SQuAD's list of objects, there may be the lists ``text`` and ``answer_start`` in one object, as
    exports of ``datasets`` have them, or texts alone.
    """
    if isinstance(answers, dict):
        texts, starts = (_list(answers, name, where) for name in ("text", "answer_start"))
        if len(texts) != len(starts):
            raise UserError(f"{where}: answers has {len(texts)} of text and {len(starts)} of answer_start")
        pairs = zip(texts, starts, strict=True)
        return [{"text": text, "answer_start": start} for text, start in pairs], True
    if not isinstance(answers, list):
        raise UserError(f"{where}: answers must be a list of objects with text and answer_start")
    return [{"text": one} if isinstance(one, str) else one for one in answers], False


def _answer(said: Any, context: str, where: str, *, repair: bool) -> Answer:
    record = _object(said, f"{where}: an answer")
    text = _text(record, "text", where)
    start = record.get("answer_start", NOWHERE)
    if not isinstance(start, int) or isinstance(start, bool):
        raise UserError(f"{where}: answer_start is {start!r}; expected the number of a character")
    if not text.strip():
        raise UserError(f"{where}: an answer is empty; a question without one says is_impossible: true")
    if repair or (start >= 0 and context.startswith(text, start)):
        return text, start
    advice = "set data.repair=true to look for the text"
    if "answer_start" not in record:
        raise UserError(f"{where}: the answer {text!r} does not say its answer_start; add it, or {advice}")
    stands = context[max(0, start) :][: max(len(text), _AROUND)]
    there = f"there stands {stands!r}" if stands and start >= 0 else f"the context has {len(context)}"
    raise UserError(f"{where}: the answer {text!r} does not begin at character {start}: {there}; {advice}")


# --- values ------------------------------------------------------------------------------------------------


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: expected a JSON object, in the form of SQuAD")
    return value


def _list(record: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = _field(record, name, where)
    if not isinstance(value, list):
        raise UserError(f"{where}: {name!r} must be a list")
    return value


def _text(record: Mapping[str, Any], name: str, where: str) -> str:
    value = _field(record, name, where)
    if not isinstance(value, str):
        raise UserError(f"{where}: {name!r} must be a text")
    return whole(value, f"{where}: {name!r}")


def _field(record: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in record:
        listed = ", ".join(record) or "nothing"
        raise UserError(f"{where}: no field {name!r}; there is {listed}{suggest(name, tuple(record))}")
    return record[name]
