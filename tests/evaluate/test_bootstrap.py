"""Resamples: as many as asked for, the same by the same seed, and intervals that hold what they claim."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.evaluate import bootstrap
from glassformer.evaluate.bootstrap import draws, interval, intervals


def test_draws_are_as_many_as_asked_for_and_do_not_depend_on_the_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = np.concatenate(list(draws(7, 150, 3)))
    assert found.shape == (150, 7)
    assert set(found.ravel()) == set(range(7))
    monkeypatch.setattr(bootstrap, "BLOCK", 11)
    assert (np.concatenate(list(draws(7, 150, 3))) == found).all()
    assert (np.concatenate(list(draws(7, 150, 4))) != found).any()


def test_an_interval_is_that_of_the_normal_distribution_where_the_mean_has_one() -> None:
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    found = intervals(lambda rows: {"mean": float(values[rows].mean())}, 400, samples=2000, seed=1)
    half = 1.96 * values.std() / 20
    assert found["mean"] == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert found == intervals(lambda rows: {"mean": float(values[rows].mean())}, 400, samples=2000, seed=1)


def test_resamples_in_which_a_figure_is_undefined_are_left_out() -> None:
    assert interval(np.array([1.0, np.nan, 1.0])) == (1.0, 1.0)
    assert np.isnan(interval(np.array([np.nan]))).all()
    assert intervals(lambda rows: {"x": 1.0}, 0) == {}
