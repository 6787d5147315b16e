import math

import pytest

from glassformer.train import watch


def test_a_first_loss_far_above_an_even_guess_is_a_sign():
    assert watch.first_loss(math.log(1000) * 1.05, 1000) is None
    assert watch.first_loss(2.0, 1000) is None
    assert watch.first_loss(50.0, None) is None
    assert "6.91 of an even guess" in str(watch.first_loss(40.0, 1000))


def test_unigram_entropy_is_that_of_the_counts():
    assert watch.unigram_entropy([1, 1, 1, 1, 0]) == pytest.approx(math.log(4))
    assert watch.unigram_entropy([5]) == 0


def test_a_model_that_only_counts_words_is_a_sign():
    assert watch.no_better_than_counting(400, 5.0, 4.0)
    assert watch.no_better_than_counting(400, 3.0, 4.0) is None
    assert watch.no_better_than_counting(100, 5.0, 4.0) is None
    assert watch.no_better_than_counting(400, 5.0, None) is None


def test_equal_answers_are_a_sign_but_not_of_few_sentences():
    assert watch.same_answers(["I am ."] * 5)
    assert watch.same_answers(["I am ."] * 4 + ["you are ."]) is None
    assert watch.same_answers(["I am ."] * 2) is None


def test_overfitting_is_validation_rising_while_training_falls():
    assert watch.overfitting([(4, 4), (3, 4.1), (2, 4.2), (1, 4.3)])
    assert watch.overfitting([(4, 4), (3, 4.1), (2, 4.0), (1, 4.3)]) is None
    assert watch.overfitting([(4, 4), (5, 4.1), (6, 4.2), (7, 4.3)]) is None
    assert watch.overfitting([(4, 4), (3, 4.1)]) is None


def test_what_evaluations_show_is_said_once():
    guard = watch.Watch(unigram=3.0)
    said = [guard.evaluated(100 * turn, 9.0 - turn, 4.0 + turn) for turn in range(1, 9)]
    assert [len(lines) for lines in said] == [0, 0, 1, 1, 0, 0, 0, 0]


def test_a_loss_that_rises_for_long_is_said_once():
    guard = watch.Watch()
    said = [line for step in range(1, 1201) for line in guard.step(step, 1 + step / 400, 1.0)]
    assert len(said) == 1
    assert "rising for 200 steps" in said[0]


def test_a_noisy_but_falling_loss_says_nothing():
    guard = watch.Watch(vocab_size=100, unigram=4.0)
    losses = [4.6 * 0.99**step + 0.4 * (step % 3) for step in range(1, 1201)]
    assert not [line for step, loss in enumerate(losses, 1) for line in guard.step(step, loss, 1.0)]
    assert not any(guard.trouble(step, loss, 1.0) for step, loss in enumerate(losses, 1))


def test_a_gradient_of_zero_is_said_after_three_steps():
    guard = watch.Watch()
    said = [guard.step(step, 2.0, 0.0) for step in range(1, 6)]
    assert [len(lines) for lines in said] == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (1.0, math.inf)])
def test_a_number_that_is_none_ends_the_run_with_advice(loss, norm):
    assert "optim.lr" in str(watch.Watch().trouble(5, loss, norm))


def test_an_exploding_loss_ends_the_run_but_a_spike_does_not():
    guard = watch.Watch()

    def feel(step: int, loss: float) -> str | None:
        trouble = guard.trouble(step, loss, 1.0)
        guard.step(step, loss, 1.0)
        return trouble

    assert not any(feel(step, 7.0 * 0.99**step) for step in range(1, 200))
    assert not any(feel(step, 400.0) for step in range(200, 215))
    assert not any(feel(step, 1.0) for step in range(215, 300))
    assert any("exploded" in (feel(step, 500.0 + step) or "") for step in range(300, 330))
