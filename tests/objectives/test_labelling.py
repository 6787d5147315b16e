"""What labels have in common: numbers, weights, and a loss that is the formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.objectives import classification, tagging
from glassformer.objectives.labelling import LabelConfig, label_loss, number_of, weights_of

SCORES = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
LABELS = torch.tensor([0, 1, 2, -100])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 3.0, 0.5])])
def test_the_loss_is_the_formula_summed(smoothing: float, weights: torch.Tensor | None) -> None:
    total, plain, right = label_loss(SCORES, LABELS, smoothing, weights)
    logp, w = SCORES[:3].log_softmax(-1), torch.ones(3) if weights is None else weights
    told = [-w[y] * logp[row, y] for row, y in enumerate(LABELS[:3].tolist())]
    spread = -(w * logp).mean(-1)
    wanted = sum((1 - smoothing) * one + smoothing * spread[row] for row, one in enumerate(told))
    torch.testing.assert_close(total, torch.as_tensor(wanted))
    torch.testing.assert_close(plain, functional.nll_loss(logp, LABELS[:3], reduction="sum"))
    assert int(right) == 2


def test_a_label_that_was_never_learned_is_told_with_its_place() -> None:
    assert number_of("good", ("bad", "good"), "a.tsv:3") == 1
    with pytest.raises(UserError, match=r"a\.tsv:3: the label 'goood' is not .*bad, good.*you mean 'good'"):
        number_of("goood", ("bad", "good"), "a.tsv:3")


def test_weights_stand_beside_their_labels() -> None:
    facts = {"labels": ("a", "b", "c"), "counts": (6, 3, 1)}
    assert weights_of(LabelConfig(), facts) == ()
    assert weights_of(LabelConfig(class_weights={"b": 2}), facts) == (1.0, 2.0, 1.0)
    both = weights_of(LabelConfig(class_weights={"b": 2}, balanced=True), facts)
    assert both == pytest.approx((10 / 18, 2 * 10 / 9, 10 / 3))
    with pytest.raises(UserError, match=r"objective\.class_weights: the label 'd' is not among"):
        weights_of(LabelConfig(class_weights={"d": 2}), facts)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    facts = {"labels": ("a", "b", "c"), "counts": (6, 3, 1)}
    rows = np.repeat(["a", "b", "c"], facts["counts"])
    wanted = sklearn.compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=rows)
    assert weights_of(LabelConfig(balanced=True), facts) == pytest.approx(tuple(wanted))


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("config", [classification.Config, tagging.Config])
def test_a_weight_that_would_teach_the_wrong_label_or_nothing_is_refused(
    config: type[classification.Config | tagging.Config], weight: float
) -> None:
    with pytest.raises(ValidationError, match=r"class_weights\.good"):
        config(class_weights={"good": weight})
