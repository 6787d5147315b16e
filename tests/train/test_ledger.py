import pytest
import torch
import train_toys as toys

from glassformer.base.errors import RunError
from glassformer.train.checkpoint import RunState
from glassformer.train.ledger import Ledger
from glassformer.train.metrics import Metrics
from glassformer.train.watch import Watch


def noted(ledger: Ledger, *losses: float) -> None:
    for loss in losses:
        ledger.state.step += 1
        ledger.note(torch.tensor([loss * 4, 4.0, 0.0, 0.0]), torch.tensor(0.5))


def test_a_line_is_the_mean_over_the_answers_since_the_last_line(tmp_path):
    ledger = Ledger(RunState(), Watch(), Metrics(tmp_path, 0))
    noted(ledger, 3.0, 2.0)
    ledger.read(0.1)
    ledger.log(0.1)
    noted(ledger, 1.0)
    ledger.read(0.1)
    ledger.log(0.1)
    assert [(line["step"], line["loss"], line["tokens"]) for line in toys.lines(tmp_path)] == [
        (2, 2.5, 8),
        (3, 1.0, 12),
    ]
    assert ledger.metrics is not None
    ledger.metrics.close()


def test_a_lost_step_is_named_though_it_is_read_later():
    ledger = Ledger(RunState(step=10), Watch(), None)
    noted(ledger, 3.0, float("nan"), 2.0)
    with pytest.raises(RunError, match="at step 12"):
        ledger.read(0.1)


def test_only_the_first_rank_speaks(capsys):
    ledger = Ledger(RunState(), Watch(vocab_size=5), None)
    noted(ledger, 90.0)
    ledger.read(0.1)
    ledger.say("hello")
    assert capsys.readouterr().err == ""


def test_the_loss_of_an_epoch_is_a_mean_over_all_its_answers_held_in_float64(tmp_path, capsys):
    # In float32 the sum stays at 2²⁴ answers: what is added to it then is lost.
    ledger = Ledger(RunState(epoch_sum=2.0**24, epoch_count=2.0**24), Watch(), Metrics(tmp_path, 0))
    for _ in range(1000):
        ledger.note(torch.tensor([1.0, 0.5, 0.0, 0.0]), torch.tensor(0.5))
    ledger.state.step = 1000
    ledger.read(0.1)
    ledger.epoch(aloud=True)
    line = toys.lines(tmp_path)[-1]
    assert (line["kind"], line["answers"]) == ("epoch", 2**24 + 500)
    assert line["loss"] == (2**24 + 1000) / (2**24 + 500)
    assert ledger.state.epoch_sum == ledger.state.epoch_count == 0
    assert "epoch 0: loss 1" in capsys.readouterr().err
    assert ledger.metrics is not None
    ledger.metrics.close()
