"""Every judge keeps the protocol, is asked for by an objective, and its figures can choose the best model."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from glassformer.base import plugins
from glassformer.base.errors import UserError
from glassformer.data.example import Example
from glassformer.evaluate.judge import MARK, Asked, Judge, judge_of
from glassformer.train.settings import LOWER, Metric

JUDGES = plugins.names("evaluate.judges", MARK)
ASKING = {
    name: objective
    for name in plugins.names("objectives")
    if hasattr(objective := plugins.find("objectives", name).Objective, "judge")
}


@pytest.mark.parametrize("name", JUDGES)
def test_the_figures_of_a_judge_can_choose_the_best(name: str) -> None:
    judge = plugins.find("evaluate.judges", name, MARK).Judge
    assert set(judge.shown) <= set(get_args(Metric))
    assert all(hasattr(judge, part) for part in ("figures", "notes", "tables", "wrong", "__len__"))


@pytest.mark.parametrize("name", ASKING)
def test_an_objective_that_is_judged_tells_what_its_judge_reads(name: str) -> None:
    assert ASKING[name].judge in JUDGES
    assert callable(ASKING[name].told)


def test_what_is_better_when_less_is_a_figure() -> None:
    assert set(get_args(Metric)) >= LOWER


def test_rows_are_judged_in_the_order_of_the_data() -> None:
    class Asking:
        judge = "labels"

    share = {4: [0.9, 0.1], 1: [0.2, 0.8]}
    told = {
        row: {"true": np.array([0]), "told": np.array([np.argmax(one)]), "share": np.array(one)}
        for row, one in share.items()
    }
    examples = [Example({}, f"x:{row}") for row in range(6)]
    found = judge_of(Asking(), told, Asked(("a", "b"), lambda: examples, lambda one: ""))
    assert isinstance(found, Judge)
    assert len(found) == 2
    assert found.rows == [1, 4]
    assert found.wrong(5).rows[0][0] == "x:1"


def test_an_unknown_judge_is_named() -> None:
    class Asking:
        judge = "label"

    with pytest.raises(UserError, match="unknown judge 'label'; did you mean 'labels'"):
        judge_of(Asking(), {}, Asked((), list, str))
