"""Sets of labels against scikit-learn, and the best threshold against trying them all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.evaluate.sets import best_threshold, exact_share, fared_sets

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")


def drawn(seed: int, rows: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    return chance.integers(0, 2, (rows, labels)), chance.integers(0, 6, (rows, labels)) / 5


SIZES = (st.integers(0, 999), st.integers(1, 12), st.integers(2, 4))


@settings(deadline=None, max_examples=40)
@given(*SIZES)
def test_figures_of_sets_are_those_of_scikit_learn(seed: int, rows: int, labels: int) -> None:
    true, share = drawn(seed, rows, labels)
    told = (share >= 0.5).astype(int)
    each = fared_sets(true, told)
    options = {"zero_division": 0}
    wanted = metrics.precision_recall_fscore_support(true, told, average=None, **options)
    for found, expected in zip((each.precision, each.recall, each.f1, each.true), wanted, strict=True):
        assert found == pytest.approx(expected)
    micro = metrics.precision_recall_fscore_support(true, told, average="micro", **options)[:3]
    assert each.micro() == pytest.approx(micro)
    there = each.there
    macro = metrics.f1_score(true[:, there], told[:, there], average="macro", **options) if there.any() else 0
    assert each.macro(each.f1) == pytest.approx(macro)
    assert exact_share(true, told) == pytest.approx(metrics.accuracy_score(true, told))


@settings(deadline=None, max_examples=40)
@given(*SIZES)
def test_no_threshold_is_better_than_the_best(seed: int, rows: int, labels: int) -> None:
    true, share = drawn(seed, rows, labels)
    value, f1 = best_threshold(true, share)

    def at(threshold: float) -> float:
        told = (share >= threshold).astype(int)
        return float(metrics.f1_score(true, told, average="micro", zero_division=0))

    if not true.any():
        assert (value, f1) == (0.5, 0.0)
        return
    assert at(value) == pytest.approx(f1)
    assert max(at(one) for one in (*np.unique(share), 2.0)) == pytest.approx(f1)


def test_a_set_without_rows_is_undefined() -> None:
    assert np.isnan(exact_share(np.zeros((0, 2)), np.zeros((0, 2))))
