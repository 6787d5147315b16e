"""The judge of numbers: correlations, distances, parts of the range, and the furthest off."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.data.example import Example
from glassformer.evaluate.correlation import pearson, spearman
from glassformer.evaluate.judge import Asked
from glassformer.evaluate.judges.numbers import Judge


def judge(true: list[float], told: list[float]) -> Judge:
    examples = [Example({"text": f"text {row}"}, f"x:{row + 2}") for row in range(len(true))]
    pairs = zip(true, told, strict=True)
    rows = {
        row: {"true": np.array([one]), "told": np.array([other])} for row, (one, other) in enumerate(pairs)
    }
    return Judge(rows, Asked((), lambda: examples, lambda one: one.fields["text"]))


TRUE, TOLD = [0.0, 1.0, 2.5, 5.0], [0.5, 1.0, 0.5, 4.0]


def test_figures_are_those_of_all_or_of_a_resample() -> None:
    found = judge(TRUE, TOLD)
    rows = np.array([0, 0, 2, 3])
    for figures, chosen in ((found.figures(), np.arange(4)), (found.figures(rows), rows)):
        true, told = np.array(TRUE)[chosen], np.array(TOLD)[chosen]
        assert figures["pearson"] == pearson(true, told)
        assert figures["spearman"] == spearman(true, told)
        assert figures["squared_error"] == pytest.approx(np.square(true - told).mean())
        assert figures["absolute_error"] == pytest.approx(np.abs(true - told).mean())
    assert set(found.figures()) == set(Judge.shown)
    assert found.notes() == []


def test_the_furthest_off_come_first_and_what_is_right_is_no_mistake() -> None:
    assert judge(TRUE, TOLD).wrong(9).rows == (
        ("x:4", 2.5, 0.5, 2.0, "text 2"),
        ("x:5", 5.0, 4.0, 1.0, "text 3"),
        ("x:2", 0.0, 0.5, 0.5, "text 0"),
    )


def test_parts_of_the_range_have_all_rows() -> None:
    (table,) = judge(TRUE, TOLD).tables()
    assert [row[:3] for row in table.rows] == [(0.0, 1.0, 1), (1.0, 2.0, 1), (2.0, 3.0, 1), (4.0, 5.0, 1)]
    assert table.rows[-1][3:] == (4.0, 1.0)
    assert judge([], []).tables()[0].rows == ()


def test_numbers_that_are_all_alike_are_told() -> None:
    assert judge([2.0, 2.0], [1.0, 3.0]).notes() == [
        "all answers of this set are 2; correlations are undefined"
    ]
    assert "the model tells 3 of everything" in judge([1.0, 2.0], [3.0, 3.0]).notes()[0]
    assert np.isnan(judge([2.0, 2.0], [1.0, 3.0]).figures()["spearman"])
