"""Correlations against scipy, ties and all, and distances against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.evaluate.correlation import absolute_error, pearson, ranks, spearman, squared_error

stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

FEW = st.integers(-3, 3).map(float)  # so that there are ties
MANY = st.floats(-1e6, 1e6, allow_subnormal=False)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size, kind = draw(st.integers(2, 20)), draw(st.sampled_from([FEW, MANY]))
    some = st.lists(kind, min_size=size, max_size=size)
    return np.array(draw(some)), np.array(draw(some))


@settings(deadline=None, max_examples=40)
@given(numbers())
def test_ranks_and_spearman_are_those_of_scipy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    true, told = pair
    assert ranks(true).tolist() == stats.rankdata(true).tolist()
    if len(set(true)) == 1 or len(set(told)) == 1:
        assert np.isnan(spearman(true, told))
    else:
        assert spearman(true, told) == pytest.approx(stats.spearmanr(true, told).statistic, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(numbers())
def test_pearson_and_distances_are_those_of_the_libraries(pair: tuple[np.ndarray, np.ndarray]) -> None:
    true, told = pair
    assert squared_error(true, told) == pytest.approx(metrics.mean_squared_error(true, told))
    assert absolute_error(true, told) == pytest.approx(metrics.mean_absolute_error(true, told))
    if len(set(true)) == 1 or len(set(told)) == 1:
        assert np.isnan(pearson(true, told))
    elif min(np.std(true) / (1 + np.abs(true).max()), np.std(told) / (1 + np.abs(told).max())) > 1e-6:
        assert pearson(true, told) == pytest.approx(stats.pearsonr(true, told).statistic, abs=1e-7)


def test_the_correlation_knows_no_scale() -> None:
    true, told = np.array([1.0, 2.0, 4.0, 3.0]), np.array([2.0, 1.0, 5.0, 5.0])
    for size in (1e-200, 1.0, 1e200):
        assert pearson(true * size, told) == pytest.approx(stats.pearsonr(true, told).statistic)


def test_of_nothing_all_is_undefined() -> None:
    nothing = np.zeros(0)
    for figure in (pearson, spearman, squared_error, absolute_error):
        assert np.isnan(figure(nothing, nothing))
