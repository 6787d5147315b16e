"""Questions in files: SQuAD's form, JSON lines, and one sentence with its place for every mistake."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassformer.base.errors import UserError
from glassformer.data.asked import Asked, asked, nearest

CONTEXT = "🙂 서울은 대한민국의 수도이다."
GOOD = {"id": "a", "question": "어디?", "answers": [{"text": "서울", "answer_start": 2}]}


def squad(folder: Path, *questions: Any, context: Any = CONTEXT, name: str = "q.json") -> str:
    """A file of one article with one paragraph."""
    whole = {
        "version": "x",
        "data": [{"title": "t", "paragraphs": [{"context": context, "qas": [*questions]}]}],
    }
    return write(folder, json.dumps(whole, ensure_ascii=False, indent=1), name)


def lines(folder: Path, *records: Any) -> str:
    return write(folder, "\n".join(json.dumps(one) for one in records), "q.jsonl")


def write(folder: Path, content: str, name: str) -> str:
    data = content.encode()
    (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return str(folder / name)


def test_squad_is_read_with_all_its_answers_and_what_cannot_be_answered(tmp_path: Path) -> None:
    none = {
        "id": "b",
        "question": "왜?",
        "answers": [],
        "is_impossible": True,
        "plausible_answers": [{"text": "?"}],
    }
    twice = {
        "id": "c",
        "question": "뭐?",
        "answers": [*GOOD["answers"], {"text": "수도", "answer_start": 12}],
    }
    found = list(asked(squad(tmp_path, GOOD, none, twice, name="q.json.gz"), answered=True))
    assert [one.answers for one in found] == [(("서울", 2),), (), (("서울", 2), ("수도", 12))]
    assert found[0] == Asked("a", "어디?", CONTEXT, (("서울", 2),), found[0].where)
    assert found[0].where.endswith("q.json.gz: article 1, paragraph 1, question a")


def test_json_lines_have_three_forms_of_answers(tmp_path: Path) -> None:
    base = {"question": "어디?", "context": CONTEXT}
    columns = {"answers": {"text": ["서울"], "answer_start": [2]}, "id": 7}
    nothing = {"answers": {"text": [], "answer_start": []}}
    path = lines(tmp_path, base | {"answers": GOOD["answers"]}, base | columns, base | nothing)
    found = list(asked(path, answered=True))
    assert [(one.id, one.answers) for one in found] == [
        ("1", (("서울", 2),)),
        ("7", (("서울", 2),)),
        ("3", ()),
    ]
    assert found[1].where.endswith("q.jsonl:2")


def test_questions_alone_need_no_answers(tmp_path: Path) -> None:
    path = lines(tmp_path, {"question": "어디?", "context": CONTEXT})
    assert [one.answers for one in asked(path, answered=False)] == [()]


def wrong(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (GOOD | changes).items() if value is not ...}


def at(text: Any, start: Any) -> dict[str, Any]:
    return wrong(answers=[{"text": text, "answer_start": start}])


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            at("서울", 3),
            "question a: the answer '서울' does not begin at character 3: there stands '울은 대한민국의",
        ),
        (at("서울", 99), "character 99: the context has 17; set data.repair=true to look for the text"),
        (at("서울", -2), "character -2: the context has 17"),
        (at("서울", "2"), "question a: answer_start is '2'; expected the number of a character"),
        (at("서울", True), "answer_start is True"),
        (at(" ", 1), "an answer is empty; a question without one says is_impossible: true"),
        (at(5, 1), "question a: 'text' must be a text"),
        (wrong(answers=[{"text": "서울"}]), "the answer '서울' does not say its answer_start"),
        (wrong(answers=["서울"]), "the answer '서울' does not say its answer_start"),
        (wrong(answers=[3]), "an answer: expected a JSON object"),
        (wrong(answers=[]), "there are no answers; give one, or say is_impossible: true"),
        (wrong(answers="서울"), "answers must be a list of objects"),
        (wrong(answers={"text": ["a"], "answer_start": []}), "answers has 1 of text and 0 of answer_start"),
        (wrong(answers=...), "no field 'answers'; there is id, question"),
        (wrong(is_impossible=True), "is_impossible is true, and there are answers"),
        (wrong(is_impossible="no"), "is_impossible must be true or false"),
        (wrong(question=" "), "question a: the question is empty"),
        (wrong(question=None), "question a: 'question' must be a text"),
        (wrong(question="\ud83d"), "'question' holds half a character"),
        (wrong(id=...), "paragraph 1, question 1: no field 'id'"),
        ([], "paragraph 1, question 1: expected a JSON object"),
    ],
)
def test_a_mistake_in_a_question_is_one_sentence_with_its_place(
    tmp_path: Path, question: Any, sentence: str
) -> None:
    path = write(
        tmp_path, json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [question]}]}]}), "q.json"
    )
    with pytest.raises(UserError) as told:
        list(asked(path, answered=True))
    assert sentence in str(told.value) and "article 1, paragraph 1" in str(told.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty; it should be a JSON object in the form of SQuAD"),
        ('{"data": [\n{"paragraphs": [', "q.json:2: the file ends in the middle; it was cut short"),
        ('{"data": [\n{"paragr', "q.json:2: the file ends in the middle; it was cut short"),
        ('{"data": [\n,]}', "q.json:2: not valid JSON (Expecting value at column 1)"),
        (
            '{"question": 1}\n{"question": 2}',
            "q.json:2: there is more than one JSON object; the name of JSON lines",
        ),
        ("[1]", "expected a JSON object, in the form of SQuAD"),
        ('{"dat": []}', "no field 'data'; there is dat; did you mean 'dat'?"),
        ('{"data": {}}', "'data' must be a list"),
        ('{"data": [1]}', "article 1: expected a JSON object"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "article 1, paragraph 1: no field 'context'"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": 1}]}]}', "paragraph 1: 'qas' must be a list"),
    ],
)
def test_a_file_that_is_not_squad_says_where(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(UserError) as told:
        list(asked(write(tmp_path, content, "q.json"), answered=True))
    assert sentence in str(told.value)


def test_an_empty_context_and_an_id_that_comes_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="question a: the context is empty"):
        list(asked(squad(tmp_path, GOOD, context=" \n"), answered=True))
    with pytest.raises(
        UserError, match=r"question a, again: the id 'a' is also that of .*question a; ids must differ"
    ):
        list(asked(squad(tmp_path, GOOD, GOOD), answered=True))
    both = {"question": "어디?", "context": CONTEXT, "id": "x"}
    with pytest.raises(
        UserError, match=r"q.jsonl:2: the id 'x' is also that of .*q.jsonl:1; ids must differ"
    ):
        list(asked(lines(tmp_path, both, both), answered=False))


@given(st.text("ab 🙂가", max_size=20), st.text("ab🙂가", min_size=1, max_size=2), st.integers(-3, 22))
def test_the_nearest_place_is_a_place_and_none_is_nearer(context: str, text: str, start: int) -> None:
    places = [at for at in range(len(context)) if context.startswith(text, at)]
    found = nearest(context, text, start)
    assert (found is None) == (not places)
    if found is not None:
        assert found in places and abs(found - start) == min(abs(place - start) for place in places)
