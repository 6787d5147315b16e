"""What labels have in common: frames, numbers, and a loss that is the formula."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from glassformer.base.errors import UserError
from glassformer.objectives import classification, tagging
from glassformer.objectives.labelling import framed, label_loss, number_of, weights_of
from glassformer.text.train import TokenizerConfig, train

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


def test_a_text_stands_in_its_frame_and_a_longer_one_loses_its_end() -> None:
    both, end, none = (
        train(TokenizerConfig(name="word", vocab_size=20, min_frequency=1), ["a b c"], frame)
        for frame in ("both", "end", "none")
    )
    assert framed(both, [7, 8], 9) == [both.bos_id, 7, 8, both.eos_id]
    assert framed(both, [7, 8, 9], 4) == [both.bos_id, 7, 8, both.eos_id]
    assert framed(end, [7], 9) == [7, end.eos_id]
    assert framed(none, [7, 8, 9], 2) == [7, 8]
    assert framed(none, [], 2) == [none.eos_id]


def test_a_label_that_was_never_learned_is_told_with_its_place() -> None:
    assert number_of("good", ("bad", "good"), "a.tsv:3") == 1
    with pytest.raises(UserError, match=r"a\.tsv:3: the label 'goood' is not .*bad, good.*you mean 'good'"):
        number_of("goood", ("bad", "good"), "a.tsv:3")


def test_weights_stand_beside_their_labels() -> None:
    assert weights_of({}, ("a", "b")) is None
    found = weights_of({"b": 2}, ("a", "b"))
    assert found is not None
    assert found.tolist() == [1.0, 2.0]
    with pytest.raises(UserError, match=r"objective\.class_weights: the label 'c' is not among"):
        weights_of({"c": 2}, ("a", "b"))


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("config", [classification.Config, tagging.Config])
def test_a_weight_that_would_teach_the_wrong_label_or_nothing_is_refused(
    config: type[classification.Config | tagging.Config], weight: float
) -> None:
    with pytest.raises(ValidationError, match=r"class_weights\.good"):
        config(class_weights={"good": weight})
