"""Which tokens are chosen and what stands for them: proportions, whole words, nothing special."""

from itertools import pairwise

import numpy as np
import pytest
from tests.objectives.language_rows import TEXTS

from glassformer.base.errors import UserError
from glassformer.objectives.choosing import Chooser, word_starts
from glassformer.text.fast import FastTokenizer
from glassformer.text.train import TokenizerConfig, train

VOCAB, MASK, IGNORED = 1000, 4, -100


def _chooser(share: float = 0.15, *, every: int = 0) -> Chooser:
    """Ids 0 to 4 are special; with ``every`` all ids but multiples of it go on a word."""
    ordinary = np.arange(VOCAB) > MASK
    goes_on = ordinary & (np.arange(VOCAB) % every != 0) if every else np.zeros(VOCAB, dtype=bool)
    return Chooser(MASK, share, goes_on, ordinary)


def _tokens(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, VOCAB, count)


def _learned(frame: str = "both") -> FastTokenizer:
    return train(TokenizerConfig(name="bpe", vocab_size=340), TEXTS, frame)


@pytest.mark.parametrize("every", [0, 3])
def test_of_many_tokens_the_share_is_chosen_and_80_10_10_of_them_hidden_swapped_kept(every: int) -> None:
    tokens, rng = _tokens(200), np.random.default_rng(1)
    chooser = _chooser(every=every)
    chosen = hidden = kept = total = 0
    for _ in range(400):
        read, labels = chooser(tokens, rng)
        mine = labels != IGNORED
        assert np.array_equal(labels[mine], tokens[mine])
        assert np.array_equal(read[~mine], tokens[~mine])
        chosen, total = chosen + int(mine.sum()), total + len(tokens)
        hidden += int((read[mine] == MASK).sum())
        kept += int((read[mine] == tokens[mine]).sum())
    # Four standard deviations of a sum of so many independent draws.
    assert abs(chosen / total - 0.15) < 4 * np.sqrt(0.15 * 0.85 / total)
    for found, share in ((hidden, 0.8), (kept, 0.1), (chosen - hidden - kept, 0.1)):
        assert abs(found / chosen - share) < 4 * np.sqrt(share * (1 - share) / chosen) + 1 / VOCAB


def test_what_is_drawn_is_even_over_all_ordinary_pieces() -> None:
    ordinary = np.array([False] * 5 + [True] * 10)
    chooser = Chooser(MASK, 0.9, np.zeros(15, dtype=bool), ordinary)
    tokens, rng = np.full(100, 5), np.random.default_rng(2)
    counts = np.zeros(15)
    for _ in range(200):
        read, _ = chooser(tokens, rng)
        counts += np.bincount(read[(read != MASK) & (read != 5)], minlength=15)
    assert counts[:6].sum() == 0
    expected = counts.sum() / 9
    assert ((counts[6:] - expected) ** 2 / expected).sum() < 26.1  # chi-square, 8 degrees, p = 0.001


def test_special_tokens_are_never_chosen() -> None:
    tokens, rng = np.array([1, 5, 2, 6, 0, 3, 2]), np.random.default_rng(0)
    seen = {int(place) for _ in range(50) for place in _chooser(0.5).places(tokens, rng)}
    assert seen == {1, 3}


def test_every_row_has_a_choice_if_it_has_a_word() -> None:
    rng = np.random.default_rng(0)
    for size in range(1, 8):
        assert len(_chooser(0.01).places(_tokens(size), rng)) == 1
    assert len(_chooser().places(np.array([1, 2]), rng)) == 0
    assert len(_chooser().places(np.array([], dtype=np.int64), rng)) == 0


def test_long_words_are_chosen_as_often_as_short_ones() -> None:
    goes_on = np.array([False] * 6 + [True])
    chooser = Chooser(MASK, 0.25, goes_on, np.array([False] * 5 + [True] * 2))
    tokens, rng = np.array([5] * 20 + [5, 6, 6, 6] * 5), np.random.default_rng(3)
    times = np.zeros(40)
    for _ in range(4000):
        times[chooser.places(tokens, rng)] += 1
    assert np.all(np.abs(times / 4000 - 0.25) < 0.05)


@pytest.mark.parametrize("text", TEXTS)
def test_words_are_chosen_whole_in_korean_and_english(text: str) -> None:
    tokenizer = _learned()
    chooser = Chooser.of(tokenizer, share=0.3, whole_words=True)
    tokens = np.array(tokenizer.encode(text))
    starts = [*word_starts(tokens, chooser.goes_on), len(tokens)]
    words = [range(a, b) for a, b in pairwise(starts)]
    assert max(map(len, words)) > 1
    rng = np.random.default_rng(0)
    for _ in range(30):
        chosen = set(chooser.places(tokens, rng).tolist())
        assert all(chosen.issuperset(word) or chosen.isdisjoint(word) for word in words)


def test_without_whole_words_pieces_are_chosen_one_by_one() -> None:
    tokenizer = _learned()
    chooser = Chooser.of(tokenizer, share=0.3, whole_words=False)
    tokens, rng = np.array(tokenizer.encode(TEXTS[0])), np.random.default_rng(0)
    whole = Chooser.of(tokenizer, share=0.3, whole_words=True).goes_on
    chosen = set(chooser.places(tokens, rng).tolist())
    assert any(whole[tokens[place]] and place - 1 not in chosen for place in chosen)


def test_a_word_does_not_go_on_behind_a_special_token() -> None:
    chooser = _chooser(0.1, every=10)
    tokens, rng = np.array([10, 11, 2, 11, 12]), np.random.default_rng(0)
    seen = {tuple(chooser.places(tokens, rng).tolist()) for _ in range(40)}
    assert seen == {(0, 1), (3, 4)}


def test_a_tokenizer_without_a_mask_is_one_sentence() -> None:
    with pytest.raises(UserError, match="the tokenizer has no mask"):
        Chooser.of(_learned("end"), share=0.15, whole_words=True)
