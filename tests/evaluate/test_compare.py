"""Paired bootstrap resampling: the same p as sacreBLEU, repeatable, and honest about equal systems."""

import random

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from glassformer.base.errors import UserError
from glassformer.evaluate import bootstrap
from glassformer.evaluate.compare import compare

WORDS = ("river", "stone", "lamp", "seven", "quiet", "market", "train", "paper", "window", "bread")


def corpus(damage: float, seed: int, sentences: int = 40) -> list[str]:
    """Sentences that are the same for every damage, with that share of their words replaced."""
    text, noise = random.Random(1), random.Random(seed)
    lines = [[text.choice(WORDS) for _ in range(text.randint(4, 12))] for _ in range(sentences)]
    return [" ".join("x" if noise.random() < damage else word for word in line) for line in lines]


REFERENCES, GOOD, POOR = corpus(0.0, 0), corpus(0.1, 2), corpus(0.4, 3)


def test_scores_and_p_value_equal_sacrebleus_paired_bootstrap() -> None:
    near = corpus(0.13, 5)
    metrics = {"bleu": BLEU(), "chrf": CHRF(word_order=2)}
    oracle = PairedTest([("a", near), ("b", GOOD)], metrics, [REFERENCES], test_type="bs", n_samples=200)
    _, scores = oracle()
    for ours, name in zip(compare(GOOD, near, REFERENCES, samples=200), ["BLEU", "chrF2++"], strict=True):
        first, second = scores[name]
        assert ours.baseline == pytest.approx(first.score)
        assert ours.system == pytest.approx(second.score)
        assert ours.p_value == pytest.approx(second.p_value, abs=1.5 / 201)
        assert 0.0 < ours.p_value < 1.0


def test_a_much_better_system_is_significantly_better() -> None:
    for difference in compare(GOOD, POOR, REFERENCES, samples=200):
        assert difference.significant
        assert 0 < difference.low < difference.delta < difference.high
        assert difference.wins == 1.0


def test_swapping_the_systems_turns_the_sign_and_keeps_the_p_value() -> None:
    for forth, back in zip(
        compare(GOOD, POOR, REFERENCES, samples=100),
        compare(POOR, GOOD, REFERENCES, samples=100),
        strict=True,
    ):
        assert forth.delta == pytest.approx(-back.delta)
        assert forth.low == pytest.approx(-back.high)
        assert forth.p_value == back.p_value


def test_a_system_against_itself_is_never_significant() -> None:
    for difference in compare(GOOD, GOOD, REFERENCES, samples=50):
        assert (difference.delta, difference.low, difference.high) == (0.0, 0.0, 0.0)
        assert difference.p_value == 1.0
        assert not difference.significant


def test_the_seed_settles_the_outcome() -> None:
    once = compare(GOOD, POOR, REFERENCES, samples=100, seed=7)
    assert once == compare(GOOD, POOR, REFERENCES, samples=100, seed=7)
    assert once[0].low != compare(GOOD, POOR, REFERENCES, samples=100, seed=8)[0].low
    assert once[0].signature.endswith("bs:100|seed:7")


def test_drawing_in_blocks_draws_what_one_draw_would(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.random.default_rng(3).choice(41, size=(10, 41))
    rng = np.random.default_rng(3)
    assert (np.concatenate([rng.choice(41, size=(5, 41)) for _ in range(2)]) == whole).all()
    by_default = compare(GOOD, POOR, REFERENCES, samples=30)
    monkeypatch.setattr(bootstrap, "BLOCK", 7)
    assert compare(GOOD, POOR, REFERENCES, samples=30) == by_default


def test_unequal_systems_and_too_few_resamples_are_refused() -> None:
    with pytest.raises(UserError, match="one has 40 translations, the other 39"):
        compare(GOOD, POOR[1:], REFERENCES)
    with pytest.raises(UserError, match="at least 2 resamples"):
        compare(GOOD, POOR, REFERENCES, samples=1)
    with pytest.raises(UserError, match="no sentences"):
        compare([], [], [])
