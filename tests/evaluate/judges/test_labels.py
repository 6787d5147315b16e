"""The judge of labels: its figures, which labels are missing, and the texts it is most wrong about."""

from __future__ import annotations

import numpy as np
import pytest

from glassformer.data.example import Example
from glassformer.evaluate.calibration import brier, calibration_error
from glassformer.evaluate.judge import Asked
from glassformer.evaluate.judges.labels import Judge

metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

LABELS = ("bad", "good", "so-so")


def judge(true: list[int], share: np.ndarray) -> Judge:
    examples = [Example({"text": f"text {row}"}, f"x:{row + 2}") for row in range(len(true))]
    told = {
        row: {"true": np.array([one]), "told": share[row].argmax(keepdims=True), "share": share[row]}
        for row, one in enumerate(true)
    }
    return Judge(told, Asked(LABELS, lambda: examples, lambda one: one.fields["text"]))


def drawn(rows: int, seed: int = 0) -> tuple[list[int], np.ndarray]:
    chance = np.random.default_rng(seed)
    return chance.integers(0, 3, rows).tolist(), chance.dirichlet(np.ones(3), rows)


def test_figures_are_those_of_the_metrics_also_of_a_resample() -> None:
    true, share = drawn(60)
    found = judge(true, share)
    rows = np.random.default_rng(1).integers(0, 60, 60)
    for figures, chosen in ((found.figures(), np.arange(60)), (found.figures(rows), rows)):
        real, told = np.array(true)[chosen], share[chosen].argmax(1)
        assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(real, told))
        assert figures["macro_f1"] == pytest.approx(metrics.f1_score(real, told, average="macro"))
        assert figures["weighted_f1"] == pytest.approx(metrics.f1_score(real, told, average="weighted"))
        assert figures["matthews"] == pytest.approx(metrics.matthews_corrcoef(real, told))
        assert figures["brier"] == pytest.approx(brier(share[chosen], real))
        wanted = calibration_error(share[chosen].max(1), real == told)
        assert figures["calibration_error"] == pytest.approx(wanted)
    assert set(found.figures()) == set(Judge.shown)


def test_the_worst_mistake_is_the_surest() -> None:
    share = np.array([[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.0, 1.0, 0.0]])
    found = judge([1, 2, 1, 1], share).wrong(2)
    assert found.headers == ("where", "true", "told", "probability", "of the true", "text")
    assert found.rows == (
        ("x:2", "good", "bad", 0.9, 0.1, "text 0"),
        ("x:4", "good", "so-so", 0.7, 0.2, "text 2"),
    )


def test_tables_have_every_label_and_who_is_taken_for_whom() -> None:
    share = np.eye(3)[[0, 1, 1]]
    labels, confusion = judge([0, 0, 1], share).tables()
    assert labels.rows[0] == ("bad", 1.0, 0.5, pytest.approx(2 / 3), 2, 1)
    assert labels.rows[2] == ("so-so", 0.0, 0.0, 0.0, 0, 0)
    assert confusion.rows == (("bad", 1, 1, 0), ("good", 0, 1, 0), ("so-so", 0, 0, 0))


def test_a_set_of_one_label_is_told_and_what_is_undefined_is_no_number() -> None:
    one = judge([1, 1], np.eye(3)[[1, 0]])
    assert np.isnan(one.figures()["matthews"])
    assert one.notes() == [
        "all answers of this set are 'good'; macro F1 and Matthews say little of such a set"
    ]
    same = judge([0, 1], np.eye(3)[[0, 0]])
    assert same.notes() == [
        "the model tells 'bad' of everything; the Matthews correlation is undefined",
        "not in this set: so-so",
    ]
    assert judge(*drawn(60)).notes() == []
