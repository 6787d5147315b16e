"""What is known of a bent model is written at it, and what learns is what its body did not have."""

from torch import nn

from glassformer.models.elmo import Config, Model
from glassformer.nn.adapter import Adapter, adapter_of, keep_base, learns, note


def test_it_is_noted_and_struck_out():
    model = nn.Linear(2, 2)
    assert adapter_of(model) is None
    note(model, Adapter(name="lora", base="x"))
    assert adapter_of(model) == Adapter(name="lora", base="x")
    note(model, None)
    assert adapter_of(model) is None


def test_what_is_of_the_task_goes_on_learning():
    model = Model(Config(dim=4, depth=1, vocab_size=9))
    keep_base(model)
    assert set(learns(model)) == {"mixture", "scale"}


def test_what_is_put_in_afterwards_learns():
    model = nn.Sequential(nn.Linear(2, 2))
    keep_base(model)
    model.append(nn.Linear(2, 1))
    assert set(learns(model)) == {"1.weight", "1.bias"}
