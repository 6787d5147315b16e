"""The judge of answers: the official figures out of scores of windows, resamples, and the worst mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.data.example import Example
from glassformer.evaluate.judge import Asked
from glassformer.evaluate.judgement import judgement
from glassformer.evaluate.judges.answers import Judge

CONTEXT = "Kim lives in Seoul"
STARTS, ENDS = [0, 4, 10, 13], [3, 9, 12, 18]
# The question, its answer, the tokens that the model points at, its score of none, and how sure it is.
ASKED = [
    ("who lives", "Kim", (0, 0), -5.0, 4.0),
    ("who is it", "Kim", (0, 1), -5.0, 3.0),
    ("where is it", "Seoul", (1, 1), -5.0, 6.0),
    ("why is it", "", (3, 3), 9.0, 2.0),
    ("when is it", "", (2, 2), 5.0, 3.0),
]


def judge(asked: list = ASKED, threshold: float = 0.0) -> Judge:
    examples, told = [], {}
    for row, (question, answer, (first, last), null, sure) in enumerate(asked):
        answers = ((answer, CONTEXT.index(answer)),) if answer else ()
        fields = {"id": str(row), "question": question, "context": CONTEXT, "answers": answers}
        examples.append(Example(fields, f"q.jsonl:{row + 1}"))
        starts, ends = np.zeros(4, np.float32), np.zeros(4, np.float32)
        starts[first], ends[last] = sure, sure
        told[row] = {
            "starts": starts,
            "ends": ends,
            "sizes": np.array([4]),
            "begins": np.array([0]),
            "nulls": np.array([null], np.float32),
            "places": np.stack([np.array(STARTS), np.array(ENDS)], axis=1),
            "rules": np.array([4.0, threshold]),
        }
    return Judge(told, Asked((), lambda: examples, lambda one: one.fields["question"]))


def test_the_figures_are_those_of_squad_two() -> None:
    found = judge().figures()
    # Right; F1 of "Kim" and "Kim lives" 2/3; wrong; silent: 9 > 4; not silent: 5 < 6.
    assert found["exact_match"] == pytest.approx(100 * 2 / 5)
    assert found["f1"] == pytest.approx(100 * (1 + 2 / 3 + 0 + 1 + 0) / 5)
    assert found["answerable_f1"] == pytest.approx(100 * (1 + 2 / 3) / 3)
    assert found["unanswerable_f1"] == found["unanswerable_exact_match"] == pytest.approx(50)
    assert found["best_f1"] == pytest.approx(100 * (1 + 2 / 3 + 1 + 1) / 5)
    assert found["best_f1_threshold"] == -11.0
    assert judge(threshold=-2.0).figures()["unanswerable_f1"] == 100


def test_a_model_that_always_answers_is_judged_by_squad_one_and_told_when_it_cannot_be_silent() -> None:
    found = judge(ASKED[:3], float("nan"))
    assert set(found.figures()) == {"exact_match", "f1"}
    assert "words of SQuAD, 3 questions" in found.notes()[0]
    assert (
        "2 questions have no answer, and this model always gives one" in judge(threshold=float("nan")).notes()
    )


def test_a_resample_is_the_means_of_what_was_drawn() -> None:
    one = judge()
    assert one.figures(np.array([0, 0, 3]))["f1"] == 100 and len(one) == 5
    assert one.figures(np.array([2]))["f1"] == 0
    told = judgement(one)
    low, high = told.intervals["f1"]
    assert low < told.figures["f1"] < high and "best_f1" not in told.intervals


def test_the_surest_mistakes_come_first_and_kinds_of_questions_are_told_apart() -> None:
    wrong = judge().wrong(5)
    assert [(row[0], row[1], row[2], row[4]) for row in wrong.rows] == [
        ("q.jsonl:3", "Seoul", "lives", "where is it"),
        ("q.jsonl:5", "", "in", "when is it"),
    ]
    (table,) = judge().tables()
    assert table.rows[0] == ("who", 2, 50.0, 83.33)
