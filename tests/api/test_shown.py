"""Figures over several orders: their mean and spread, as a table and as JSON."""

import json

import pytest

from glassformer.api.shown import Figures, Report, Run


def _run(k: int, order: int, accuracy: float, f1: float | None = 0.5, *, control: bool = False) -> Run:
    return Run(k, order, control, Figures(accuracy, f1), 1.5)


RUNS = (
    _run(0, 0, 0.5),
    _run(4, 0, 0.6),
    _run(4, 1, 0.8),
    _run(4, 0, 0.5, control=True),
    _run(4, 1, 0.7, control=True),
)


def test_levels_have_the_mean_and_the_spread_of_their_orders():
    none, four = Report("t", "m", 10, 0.55, RUNS, 3.0).levels
    assert (none.k, none.mean("accuracy"), none.spread("accuracy")) == (0, 0.5, None)
    assert four.mean("accuracy") == pytest.approx(0.7)
    assert four.spread("accuracy") == pytest.approx(0.02**0.5)
    assert four.mean("accuracy", control=True) == pytest.approx(0.6)
    assert none.mean("accuracy", control=True) is None


def test_a_report_is_a_table_a_curve_and_json():
    report = Report("nsmc", "m", 1000, 0.55, RUNS, 3.0)
    lines = "\n".join(report.lines())
    assert lines.startswith(
        "nsmc: 1,000 questions; the commonest answer is right for 55.0 %\nk  orders  accuracy %"
    )
    assert "random labels %" in lines
    assert "examples shown" in lines
    told = json.loads(json.dumps(report.as_json()))
    assert [level["k"] for level in told["shots"]] == [0, 4]
    assert told["shots"][1]["control_accuracy"] == pytest.approx(0.6)
    assert [run["order"] for run in told["shots"][1]["runs"]] == [0, 1]
    assert told["majority"] == 0.55


def test_columns_without_a_figure_and_a_curve_of_one_point_are_left_out():
    lines = list(Report("t", "m", 10, 0.5, (_run(2, 0, 0.25, None),), 1.0).lines())
    assert lines[1].split("\n")[0].split() == ["k", "orders", "accuracy", "%", "seconds"]
    assert len(lines) == 2
