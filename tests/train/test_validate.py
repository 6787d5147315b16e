import math

import pytest
import torch
import train_toys as toys

from glassformer.base.errors import UserError
from glassformer.train.checkpoint import Best
from glassformer.train.parallel import Group
from glassformer.train.validate import Validation, better, mean_loss


@pytest.mark.parametrize(
    ("metric", "before", "now", "expected"),
    [
        ("loss", 2.0, 1.0, 7),
        ("loss", 2.0, 2.0, 3),
        ("loss", 2.0, math.nan, 3),
        ("loss", math.nan, 9.0, 7),
        ("bleu", 2.0, 3.0, 7),
        ("bleu", 2.0, 1.0, 3),
    ],
)
def test_a_smaller_loss_and_a_larger_score_are_better(metric, before, now, expected):
    assert better(metric, {metric: now}, Best(metric, before, 3), 7).step == expected


def test_the_best_of_another_figure_does_not_count():
    assert better("bleu", {"bleu": 1.0}, Best("loss", 9.0, 3), 7) == Best("bleu", 1.0, 7)


def test_a_figure_that_was_not_measured_is_named():
    with pytest.raises(UserError, match="the figure 'chrf', but the evaluation gives only loss"):
        better("chrf", {"loss": 1.0}, None, 0)


def test_validation_leaves_mode_and_gradients_as_they_were():
    model = toys.Toy().train()
    validation = Validation(toys.NextToken(), toys.Counting(), lambda net: {"bleu": float(net.training)})
    figures = validation.figures(model, Group(), torch.device("cpu"))
    assert figures.keys() == {"loss", "right", "bleu"}
    assert figures["bleu"] == 0
    assert model.training
    assert model.mix.weight.grad is None


def test_no_batches_give_no_figures():
    assert mean_loss(toys.Toy(), toys.NextToken(), [], Group(), torch.device("cpu")) == {}
