import pytest

from glassformer.base.config import load
from glassformer.base.errors import UserError
from glassformer.train.settings import TrainConfig


def read(*settings: str) -> TrainConfig:
    return load(TrainConfig, None, settings, {})


def test_a_run_needs_an_end():
    with pytest.raises(UserError, match="a run needs an end: set steps, epochs or time_limit"):
        read()
    assert read("epochs=2").steps is None


def test_choices_are_words_and_switches_are_true_or_false():
    config = read(
        "steps=5", "compile=true", "precision=bfloat16", "early_stopping={metric: bleu, patience: 3}"
    )
    assert (config.compile, config.precision) == (True, "bfloat16")
    assert config.early_stopping is not None
    assert config.early_stopping.patience == 3
    with pytest.raises(UserError, match="best"):
        read("steps=5", "best=rouge")
