import pytest
import train_toys as toys


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("stop", [4, 7])
def test_a_run_that_was_stopped_and_resumed_equals_one_that_was_not(tmp_path, precision, stop):
    _, whole = toys.train(tmp_path / "whole", toys.settings(precision=precision, accumulate=2))
    toys.train(tmp_path / "parts", toys.settings(precision=precision, accumulate=2, steps=stop))
    outcome, resumed = toys.train(
        tmp_path / "parts", toys.settings(precision=precision, accumulate=2), toys.Toy(seed=5), resume=True
    )
    assert outcome.steps == 12
    assert toys.same(toys.weights(whole), toys.weights(resumed))
