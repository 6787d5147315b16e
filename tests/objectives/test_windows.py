"""Windows, sub-sampling and noise: everything is drawn as often as the papers say."""

from __future__ import annotations

import numpy as np

from glassformer.objectives.windows import CHUNK, Sampler, joined


def test_every_width_of_a_window_is_as_likely() -> None:
    sampler = Sampler(np.ones(4), np.ones(4, dtype=bool), window=5, sample=0, power=0.75)
    tokens = np.zeros(20_000, dtype=np.int64)
    pairs = sampler.chunks(tokens, np.zeros(20_000, dtype=np.int32), np.random.default_rng(0)).pairs
    seen = pairs.reshape(-1, 11)[5:-37].mean(0)
    np.testing.assert_allclose(seen, [0.2, 0.4, 0.6, 0.8, 1, 0, 1, 0.8, 0.6, 0.4, 0.2], atol=0.02)


def test_frequent_words_are_left_out_as_often_as_said_and_noise_is_drawn_by_the_power() -> None:
    counts, ordinary = np.array([50, 900.0, 90, 10]), np.array([False, True, True, True])
    sampler = Sampler(counts, ordinary, window=2, sample=0.01, power=0.5)
    share = 0.01 / np.array([0.9, 0.09, 0.01])
    np.testing.assert_allclose(sampler.keep, [0, *np.minimum(1, np.sqrt(share) + share)], rtol=1e-6)
    drawn = np.bincount(sampler.noise(2000, 20, np.random.default_rng(0)).ravel(), minlength=4) / 40_000
    weights = np.sqrt([900.0, 90, 10])
    np.testing.assert_allclose(drawn, [0, *weights / weights.sum()], atol=0.01)


def test_words_that_share_noise_stand_far_apart_and_each_stands_somewhere() -> None:
    sampler = Sampler(np.ones(6), np.ones(6, dtype=bool), window=5, sample=0, power=0.75)
    rng = np.random.default_rng(0)
    sizes = 16 * CHUNK, 11 * CHUNK - 3
    parts = [sampler.chunks(np.arange(size) % 6, np.zeros(size, dtype=np.int32), rng) for size in sizes]
    both = joined(parts)
    assert sorted(both.spread) == list(range(27 * CHUNK))
    gaps = np.diff(both.spread.reshape(-1, CHUNK), axis=1)
    assert (gaps[:16] == 16).all() and (gaps[16:] == 11).all()
