"""Calibration error against its definition, bin by bin, and the Brier score against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.evaluate.calibration import bins, brier, brier_each, calibration_error

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

RIGHT = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


@settings(deadline=None, max_examples=40)
@given(RIGHT, st.integers(1, 20))
def test_the_error_is_the_gap_of_each_bin_weighed_by_its_size(
    answers: list[tuple[float, bool]], count: int
) -> None:
    sure, right = np.array([one for one, _ in answers]), np.array([one for _, one in answers])
    wanted = 0.0
    for number in range(count):
        low, high = number / count, (number + 1) / count
        inside = (sure * count > number) & (sure * count <= number + 1)
        if number == 0:
            inside |= sure == 0
        assert (inside == (bins(sure, count) == number)).all(), (low, high)
        if inside.any():
            wanted += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert calibration_error(sure, right, count) == pytest.approx(wanted, abs=1e-9)


def test_one_who_is_always_sure_and_half_right_is_off_by_half() -> None:
    right = np.array([True, False] * 10)
    assert calibration_error(np.ones(20), right) == pytest.approx(0.5)
    assert calibration_error(np.full(20, 0.5), right) == pytest.approx(0.0)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 4), st.integers(1, 20), st.integers(0, 99))
def test_the_brier_score_is_that_of_scikit_learn(labels: int, rows: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    share = chance.dirichlet(np.ones(labels), rows)
    true = chance.integers(0, labels, rows)
    wanted = metrics.brier_score_loss(true, share, labels=list(range(labels)), scale_by_half=False)
    assert brier(share, true) == pytest.approx(wanted)
    assert brier_each(share, true).shape == (rows,)


def test_of_no_answer_both_are_undefined() -> None:
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0, dtype=bool)))
    assert np.isnan(brier(np.zeros((0, 2)), np.zeros(0, dtype=np.int64)))
