"""Figures of labels against scikit-learn, on anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.evaluate.classes import accuracy, confusion, macro_f1, matthews, per_label

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    labels, size = draw(st.integers(2, 5)), draw(st.integers(1, 25))
    some = st.lists(st.integers(0, labels - 1), min_size=size, max_size=size)
    return np.array(draw(some)), np.array(draw(some)), labels


@settings(deadline=None, max_examples=40)
@given(answers())
def test_every_figure_is_that_of_scikit_learn(told: tuple[np.ndarray, np.ndarray, int]) -> None:
    true, guess, labels = told
    table = confusion(true, guess, labels)
    assert table.tolist() == metrics.confusion_matrix(true, guess, labels=range(labels)).tolist()
    assert accuracy(table) == pytest.approx(metrics.accuracy_score(true, guess))
    each = per_label(table)
    settled = {"labels": range(labels), "zero_division": 0}
    wanted = metrics.precision_recall_fscore_support(true, guess, **settled)
    for found, expected in zip((each.precision, each.recall, each.f1, each.true), wanted, strict=True):
        assert found == pytest.approx(expected)
    for average in ("macro", "weighted"):
        wanted = metrics.precision_recall_fscore_support(true, guess, average=average, zero_division=0)[:3]
        mean = getattr(each, average)
        assert [mean(each.precision), mean(each.recall), mean(each.f1)] == pytest.approx(list(wanted))
    assert macro_f1(table) == each.macro(each.f1)
    assert each.micro() == pytest.approx([metrics.accuracy_score(true, guess)] * 3)


@settings(deadline=None, max_examples=40)
@given(answers())
def test_matthews_is_that_of_scikit_learn_and_undefined_where_nothing_varies(
    told: tuple[np.ndarray, np.ndarray, int],
) -> None:
    true, guess, labels = told
    found = matthews(confusion(true, guess, labels))
    if len(set(true)) == 1 or len(set(guess)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(metrics.matthews_corrcoef(true, guess), abs=1e-12)


def test_labels_that_nobody_has_and_nobody_tells_count_nothing() -> None:
    true, told = np.array([0, 0, 3]), np.array([0, 3, 3])
    assert macro_f1(confusion(true, told, 5)) == pytest.approx(metrics.f1_score(true, told, average="macro"))
    nothing = np.zeros((2, 2), dtype=np.int64)
    assert macro_f1(nothing) == per_label(nothing).weighted(np.ones(2)) == 0.0
    assert np.isnan(accuracy(nothing))
