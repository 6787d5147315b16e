"""Answers cut out of texts: what is given to whom, in which form, from which files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contracts.asking import QUESTIONS, write_questions

import glassformer as gf
from glassformer.api import answerer
from glassformer.base.errors import UserError

ASKED = [(question, context) for question, context, _ in QUESTIONS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that knows its eight questions, of which one has no answer."""
    place = tmp_path_factory.mktemp("questions")
    gf.train(write_questions(place), output=place / "run")
    return place / "run"


@pytest.fixture(scope="module")
def model(folder: Path) -> gf.Answerer:
    return gf.load(folder)


def squad(folder: Path) -> Path:
    """The same questions in SQuAD's form, an article each."""
    data = [
        {"paragraphs": [{"context": context, "qas": [{"id": f"n{number}", "question": question}]}]}
        for number, (question, context) in enumerate(ASKED)
    ]
    (folder / "q.json").write_text(json.dumps({"data": data}), "utf-8")
    return folder / "q.json"


def test_an_answer_is_cut_out_of_its_context(model: gf.Answerer) -> None:
    questions, contexts, answers = zip(*QUESTIONS, strict=True)
    for told, context, answer in zip(model.predict(questions, contexts), contexts, answers, strict=True):
        (one,) = told
        assert one.text == answer == context[one.start : one.end] and 0 < one.probability <= 1


def test_several_answers_fall_in_probability_and_never_repeat_a_text_at_its_place(model: gf.Answerer) -> None:
    ((first, *others),) = model.predict("who runs", "the old cat runs home", top_k=30)
    assert first.text == "the old cat"
    shares = [one.probability for one in others]
    assert shares == sorted(shares, reverse=True) and first.probability + sum(shares) <= 1 + 1e-6
    assert len({(one.start, one.end) for one in (first, *others)}) == len(others) + 1
    assert sum(not one.text for one in others) == 1
    (none,) = model.predict("왜 왔나", "어제 김이 서울에 왔다", top_k=5)
    assert none[0].text == "" and none[1].text


def test_one_context_serves_several_questions_and_company_changes_nothing(model: gf.Answerer) -> None:
    together = model.predict(["who runs", "where runs"], "the old cat runs home")
    assert [told[0].text for told in together] == ["the old cat", "home"]
    alone = [
        model.predict(question, "the old cat runs home")[0][0] for question in ("who runs", "where runs")
    ]
    for one, (other,) in zip(alone, together, strict=True):
        assert one.text == other.text and one.probability == pytest.approx(other.probability, abs=1e-5)


def test_a_long_context_is_read_in_parts_that_give_the_same(
    model: gf.Answerer, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = " ".join(["물"] * 60 + ["불", "흙", "바람"])
    whole = model.predict("what is it", long, top_k=3)
    monkeypatch.setattr(answerer, "WINDOWS", 2)
    parts = model.predict("what is it", long, top_k=3)
    assert [(one.start, one.end) for one in whole[0]] == [(one.start, one.end) for one in parts[0]]
    np.testing.assert_allclose(
        [a.probability for a in whole[0]], [b.probability for b in parts[0]], atol=1e-5
    )


def test_lines_files_and_pairs_are_asked_alike(model: gf.Answerer, tmp_path: Path) -> None:
    wanted = [answer for _, _, answer in QUESTIONS]

    def texts(source: Any) -> list[str]:
        return [one.answers[0].text for one in gf.predictions(model, source, 1)]

    tabs = "".join(f"{question}\t{context}\n" for question, context in ASKED)
    (tmp_path / "q.tsv").write_text(tabs + "\n", "utf-8")
    lines = [json.dumps({"question": question, "context": context, "id": 7}) for question, context in ASKED]
    (tmp_path / "q.jsonl").write_text("\n".join(lines), "utf-8")
    assert (
        texts(str(tmp_path / "q.tsv"))
        == texts(str(tmp_path / "q.jsonl"))
        == texts(str(squad(tmp_path)))
        == wanted
    )
    assert texts(["who runs", "the old cat runs home"]) == ["the old cat"]
    assert texts(["who runs\tthe old cat runs home"]) == ["the old cat"]


def test_a_whole_file_is_answered_in_the_official_form(model: gf.Answerer, tmp_path: Path) -> None:
    found = list(gf.predictions(model, str(squad(tmp_path)), 2))
    written = "\n".join(line for one in found for line in one.lines())
    assert json.loads(written) == {f"n{number}": answer for number, (_, _, answer) in enumerate(QUESTIONS)}
    assert found[0].as_json()["id"] == "n0" and len(found[0].as_json()["answers"]) == 2


def test_people_see_the_question_and_its_answers(model: gf.Answerer) -> None:
    (one,) = gf.predictions(model, ["왜 왔나", "어제 김이 서울에 왔다"], 2)
    question, first, second = one.lines()
    assert question == "왜 왔나" and first.endswith("(no answer)")
    assert second == f"  {one.answers[1].probability:.4f}  {one.answers[1].text}"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("no tab", "q.tsv:1: expected a question, a tab and its context"),
        ("\tcontext", "q.tsv:1: the question is empty"),
        ("question\t ", "q.tsv:1: the context is empty"),
        ('{"question": "a"}', "q.tsv:1: the object needs a text 'context'"),
        ('{"question": "a"', "q.tsv:1: not valid JSON"),
    ],
)
def test_a_line_that_asks_nothing_is_told_with_its_place(
    model: gf.Answerer, tmp_path: Path, line: str, sentence: str
) -> None:
    (tmp_path / "q.tsv").write_text(line + "\n", "utf-8")
    with pytest.raises(UserError) as told:
        list(gf.predictions(model, str(tmp_path / "q.tsv")))
    assert sentence in str(told.value)


def test_unequal_numbers_and_blank_texts_are_refused(model: gf.Answerer) -> None:
    with pytest.raises(UserError, match="there are 2 questions and 1 contexts; give one each"):
        model.predict(["a", "b"], ["c"])
    with pytest.raises(UserError, match="question 2: the context is empty"):
        model.predict(["a", "b"], ["c", " "])
    with pytest.raises(UserError, match="top_k is 0"):
        model.predict("a", "b", top_k=0)


def test_the_folder_keeps_the_threshold_and_the_card_and_the_report_agree(folder: Path) -> None:
    written = json.loads((folder / "config.json").read_text("utf-8"))["glassformer_head"]
    assert written["ability"] == "answers" and written["spans"]["threshold"] is not None
    found = gf.evaluate(folder, str(folder.parent / "questions.jsonl"))
    assert found.figures["f1"] == found.figures["exact_match"] == 100.0
    assert found.figures["unanswerable_f1"] == 100.0 and "best_f1" in found.figures
    assert "F1 of answers" in str(found) and "8 questions" in str(found)
    assert "F1 of answers (0 to 100)" in (folder / "README.md").read_text("utf-8")
