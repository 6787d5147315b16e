"""Prompts are what they were said to be, and scores are what the papers' equations say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glassformer.adapt.in_context import (
    Case,
    Config,
    Prompting,
    contextual,
    domain,
    free,
    premise,
    shares,
    table,
)
from glassformer.adapt.template import Template
from glassformer.base.config import load
from glassformer.base.errors import UserError
from glassformer.decode.score import Score

SHOWN = [Case({"text": "good"}, "1"), Case({"text": "dull"}, "0")]
PROMPTING = Prompting(Template("{text}: {label}."), {"0": "no", "1": "yes"}, "Judge.", "\n")


def test_a_prompt_is_the_instruction_the_examples_and_the_question():
    assert PROMPTING.context(SHOWN, {"text": "so so"}) == "Judge.\ngood: yes.\ndull: no.\nso so: "
    assert PROMPTING.question([], {"text": "x"}).choices == ("no.", "yes.")
    assert PROMPTING.question([], {"text": "x"}).context == "Judge.\nx: "
    assert PROMPTING.cloze(SHOWN[:1], {"text": "x"}) == ("Judge.\ngood: yes.\nx: ", ".")
    bare = Prompting(Template("{text} {label}"))
    assert bare.context(SHOWN, {"text": "x"}) == "good 1\n\ndull 0\n\nx "


def test_the_premise_is_the_words_before_the_answer_and_an_empty_example_has_no_content():
    assert premise(" {so} it is ").before({}) == " {so} it is "
    assert free(Template("{a} {b} {label}"), "N/A") == {"a": "N/A", "b": "N/A"}


def test_the_scores_of_words_are_sums_or_means_per_token_or_character():
    rows = [[Score("yes", (1, 2), (-1.0, -3.0)), Score("no", (3,), (-2.0,))]]
    assert table(rows).tolist() == [[-4.0, -2.0]]
    assert table(rows, "token").tolist() == [[-2.0, -2.0]]
    assert table(rows, "character").tolist() == [pytest.approx([-4 / 3, -1.0])]


def test_contextual_calibration_is_the_equation_of_the_paper():
    scores = np.log([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]) - 5
    empty = np.log([[[0.6, 0.3, 0.1], [0.8, 0.1, 0.1]]]) + 3
    mean = np.array([0.7, 0.2, 0.1])
    want = np.diag(1 / mean) @ np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]).T
    np.testing.assert_allclose(np.exp(contextual(scores, empty)), want.T)
    # After calibration an input without content has no favourite.
    np.testing.assert_allclose(contextual(np.log(mean)[None], empty), 0, atol=1e-12)


def test_every_question_may_have_empty_inputs_of_its_own():
    scores = np.log([[0.5, 0.5], [0.5, 0.5]])
    empty = np.log([[[0.9, 0.1]], [[0.2, 0.8]]])
    np.testing.assert_allclose(np.exp(contextual(scores, empty)), [[0.5 / 0.9, 5], [2.5, 0.625]])


def test_domain_calibration_divides_by_the_words_alone():
    found = domain(np.log([[0.02, 0.01]]), np.log([[0.1, 0.01]]))
    np.testing.assert_allclose(np.exp(found), [[0.2, 1.0]])


def test_shares_sum_to_one_however_small_the_scores():
    found = shares(np.array([[-1000.0, -1000.0 + math.log(3)]]))
    np.testing.assert_allclose(found, [[0.25, 0.75]])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{labels: {a: x}, template: "{text}"}', "template: .*has no {label}"),
        ('template: "It is {label}"', "names no field of the data"),
        (
            '{template: "{text} {label}", labels: {a: good, b: " good"}}',
            "'a' and 'b' have the same words, 'good'",
        ),
        ('{template: "{text} {label}", labels: {a: good, b: " "}}', "the label 'b' has no words"),
        ('{template: "{text} {label}", labels: {a: good}}', "only one label has words"),
        ('{template: "{text} {label}", choise: random}', "did you mean 'choice'"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(written: str, said: str, tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(UserError, match=said.replace("{label}", r"\{label\}")) as refused:
        load(Config, path)
    assert str(refused.value).startswith(f"{path}:1: ")
