"""Exact match and F1 of answers: what the official scripts of SQuAD 1.1, SQuAD 2.0 and KorQuAD 1.0 give.

``transformers`` has them no more, so that the references stand here, written from the published scripts'
description: sentence by sentence, and with a threshold that is tried at every score.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.evaluate.questions import (
    Reply,
    best_of,
    exact,
    figures,
    marks,
    overlap,
    plain_english,
    plain_korean,
    style_of,
)

WORDS = [
    "a",
    "the",
    "An",
    "Seoul",
    "서울은",
    "서울",
    "(대한민국)",
    "《한국》",
    "‘수도’",
    "42",
    "it's",
    "🙂",
    ",",
    "“",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join) | st.text(max_size=8)
ANSWERS = TEXTS.filter(lambda text: bool(text.strip()))


def reference(text: str, style: str) -> list[str]:
    """The units that are compared, one rule after the other."""
    if style == "korquad":
        for sign in "'\"《》<>〈〉()‘’":
            text = text.replace(sign, " ")
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    words = text.split() if style == "korquad" else re.sub(r"\b(?:a|an|the)\b", " ", text).split()
    return [letter for word in words for letter in word] if style == "korquad" else words


def reference_f1(right: str, told: str, style: str, *, silence: bool) -> float:
    one, other = reference(right, style), reference(told, style)
    if silence and (not one or not other):
        return float(one == other)
    left, common = list(other), 0
    for unit in one:
        if unit in left:
            left.remove(unit)
            common += 1
    if not common:
        return 0.0
    precision, recall = common / len(other), common / len(one)
    return 2 * precision * recall / (precision + recall)


@settings(max_examples=25, deadline=None)
@given(right=TEXTS, told=TEXTS, style=st.sampled_from(["squad", "korquad"]))
def test_f1_is_that_of_precision_and_recall(right: str, told: str, style: str) -> None:
    wanted = reference_f1(right, told, style, silence=False)
    assert overlap(right, told, style) == pytest.approx(wanted, abs=1e-12)
    if style == "squad":
        assert exact(right, told, style) == (reference(right, style) == reference(told, style))


def test_the_published_examples_come_out() -> None:
    assert plain_english("The  Cat's, an OWL") == "cats owl"
    assert plain_korean("《서울》(Seoul)은, ‘수도’") == "서울 seoul 은 수도"
    assert overlap("서울은", "서울") == 0.0
    assert overlap("서울은", "서울", "korquad") == 0.8
    assert exact("《서울》", "서울", "korquad") == 1.0
    assert exact("서울 특별시", "서울특별시", "korquad") == 0.0  # spaces count where texts must be the same


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.lists(ANSWERS, min_size=1, max_size=3), TEXTS), min_size=1, max_size=6))
def test_squad_one_takes_the_best_of_several_right_answers(asked: list[tuple[list[str], str]]) -> None:
    found = figures([Reply(tuple(right), told) for right, told in asked])
    same = [
        max(reference(one, "squad") == reference(told, "squad") for one in right) for right, told in asked
    ]
    near = [max(reference_f1(one, told, "squad", silence=False) for one in right) for right, told in asked]
    assert found == {
        "exact_match": pytest.approx(100 * sum(same) / len(same)),
        "f1": pytest.approx(100 * sum(near) / len(near)),
    }


def squad_two(replies: Sequence[Reply], threshold: float, style: str) -> tuple[list[float], list[float]]:
    """Exact match and F1 of every question under a threshold, by the rules of SQuAD 2.0."""
    same, near = [], []
    for one in replies:
        golds = [right for right in one.right if reference(right, style)] or [""]
        told = "" if one.null is not None and one.null > threshold else one.told
        plain = plain_english if style == "squad" else plain_korean
        same.append(float(max(plain(right) == plain(told) for right in golds)))
        near.append(max(reference_f1(right, told, style, silence=True) for right in golds))
    return same, near


# Right answers, what was told, and one of few scores, so that some are the same.
ASKED = st.lists(
    st.tuples(st.lists(ANSWERS, max_size=2), ANSWERS, st.integers(-3, 3)), min_size=1, max_size=7
)


def replies_of(asked: Sequence[tuple[list[str], str, int]]) -> list[Reply]:
    """The questions, and one that certainly has no answer."""
    return [*(Reply(tuple(right), told, float(null)) for right, told, null in asked), Reply((), "x", 0.5)]


@settings(max_examples=25, deadline=None)
@given(asked=ASKED, threshold=st.integers(-4, 4), style=st.sampled_from(["squad", "korquad"]))
def test_squad_two_tells_either_kind_apart(
    asked: list[tuple[list[str], str, int]], threshold: int, style: str
) -> None:
    replies = replies_of(asked)
    found = figures(replies, style, threshold)
    for column, name in enumerate(("exact_match", "f1")):
        told = squad_two(replies, threshold, style)[column]
        groups = {
            "": told,
            "answerable_": [one for one, reply in zip(told, replies, strict=True) if reply.right],
            "unanswerable_": [one for one, reply in zip(told, replies, strict=True) if not reply.right],
        }
        for what, values in groups.items():
            if values:
                assert found[f"{what}{name}"] == pytest.approx(100 * sum(values) / len(values))
            else:
                assert f"{what}{name}" not in found


@settings(max_examples=25, deadline=None)
@given(asked=ASKED, style=st.sampled_from(["squad", "korquad"]))
def test_the_best_threshold_is_the_best_of_all(asked: list[tuple[list[str], str, int]], style: str) -> None:
    # An answer of nothing but articles is right when nothing is said, which the official search passes over.
    kept = [([one for one in right if reference(one, style)], told, null) for right, told, null in asked]
    replies = replies_of(kept)
    tried = [-10.0, *(one.null for one in replies)]
    found = figures(replies, style)
    for column, name in enumerate(("exact_match", "f1")):
        scores = {at: sum(squad_two(replies, at, style)[column]) / len(replies) * 100 for at in tried}
        assert found[f"best_{name}"] == pytest.approx(max(scores.values()))
        threshold = found[f"best_{name}_threshold"]
        reached = sum(squad_two(replies, threshold, style)[column]) / len(replies) * 100
        assert reached == pytest.approx(found[f"best_{name}"])


def test_a_threshold_can_answer_nothing_and_questions_of_one_score_go_together() -> None:
    silent = [Reply((), "x", 1.0), Reply((), "y", 2.0), Reply(("z",), "w", 3.0)]
    score, threshold = marks(silent).best()
    assert score == pytest.approx(200 / 3) and threshold < 1.0
    tied = [Reply(("x",), "x", 1.0), Reply((), "y", 1.0), Reply(("w",), "w", 0.0)]
    assert marks(tied).best() == (pytest.approx(200 / 3), 0.0)


def test_a_model_that_always_answers_has_no_best_threshold() -> None:
    found = figures([Reply((), "x"), Reply(("the",), "a"), Reply(("b",), "b")])
    assert found["unanswerable_f1"] == 0.0 and found["answerable_f1"] == 100.0
    assert not any(name.startswith("best_") for name in found)
    assert best_of(["the"], "a") == (1.0, 0.0)  # SQuAD 1.1: no words, nothing in common


def test_the_writing_of_the_answers_says_whose_rules_apply() -> None:
    assert style_of(["대한민국", "BTS", "1997"]) == "korquad"
    assert style_of(["Seoul (서울)", "12"]) == "squad"
    assert style_of([]) == "squad"
