"""The judge of sets of labels: F1 together and each, whole sets, the best threshold, the surest mistakes."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.data.example import Example
from glassformer.evaluate.judge import Asked
from glassformer.evaluate.judges.sets import Judge

TRUE = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
SHARE = np.array([[0.9, 0.1, 0.4], [0.2, 0.8, 0.1], [0.3, 0.6, 0.2]])


def judge(true: np.ndarray = TRUE, share: np.ndarray = SHARE) -> Judge:
    examples = [Example({"text": f"text {row}"}, f"x:{row + 2}") for row in range(len(true))]
    told = {
        row: {"true": true[row], "told": (share[row] >= 0.5).astype(np.int64), "share": share[row]}
        for row in range(len(true))
    }
    return Judge(told, Asked(("a", "b", "c"), lambda: examples, lambda one: one.fields["text"]))


def test_figures_count_labels_and_whole_sets() -> None:
    found = judge().figures()
    # told: a; b; b. true: a c; none; b.
    assert found["micro_precision"] == pytest.approx(2 / 3)
    assert found["micro_recall"] == pytest.approx(2 / 3)
    assert found["micro_f1"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert found["exact_set"] == pytest.approx(1 / 3)
    assert set(found) == set(Judge.shown)
    rows = np.array([2, 2, 1])
    assert judge().figures(rows) == judge(TRUE[rows], SHARE[rows]).figures()


def test_the_surest_mistake_comes_first_and_says_which_label() -> None:
    assert judge().wrong(5).rows == (
        ("x:3", "none", "b", "b", 0.8, "text 1"),
        ("x:2", "a, c", "a", "c", 0.4, "text 0"),
    )


def test_the_best_threshold_is_told_and_labels_that_nobody_has() -> None:
    said = judge(TRUE[:2, :], SHARE[:2, :]).notes()
    assert said[0].startswith("on this set a threshold of 0.300 gives the best micro F1, 0.8000")
    assert said[1] == "not in this set: b"
    assert judge(0 * TRUE).notes() == ["no text of this set has a label; F1 says nothing of it"]
    assert [row[0] for row in judge().tables()[0].rows] == ["a", "b", "c"]
