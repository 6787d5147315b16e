"""Log-probabilities, perplexity and bits per byte are those of a computation by hand in double precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import pytest
import torch

from glassformer.base.errors import RunError, UserError
from glassformer.decode.score import Likelihood, Score, score
from glassformer.models import gpt

LONGEST = 8


class Letters:
    """One id a letter, and "ab" as one piece, so that a context may end inside a piece."""

    opening: tuple[int, ...] = ()

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [
            [30 if letter == "#" else ord(letter) - 92 for letter in text.replace("ab", "#")]
            for text in texts
        ]

    def decode(self, ids: Sequence[int]) -> str:
        raise AssertionError("a score needs no text of ids")


class Opened(Letters):
    opening = (3,)


@cache
def _model() -> gpt.Model:
    torch.manual_seed(0)
    model = gpt.Model(gpt.Config(dim=8, depth=1, heads=2, max_length=LONGEST, vocab_size=31))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.5)
    return model.eval()


def _by_hand(tokens: Sequence[int], answer: int) -> float:
    """The log-probability of ``answer`` after ``tokens``."""
    with torch.no_grad():
        scores = _model()({"tokens": torch.tensor([tokens])})[0, -1].double()
    return float(scores[answer] - scores.logsumexp(dim=0))


def _scored(texts: Sequence[str], tokenizer: Letters | None = None, **options: object) -> list[Score]:
    return list(score(_model(), tokenizer or Letters(), texts, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(("tokenizer", "head"), [(Letters(), 1), (Opened(), 3)])
def test_every_token_has_the_log_probability_that_the_model_gives_it(tokenizer: Letters, head: int) -> None:
    texts = ["cdefg", "", "abz", "q"]
    for one, text in zip(_scored(texts, tokenizer), texts, strict=True):
        ids = tokenizer.encode_batch([text])[0]
        want = [_by_hand([head, *ids[:place]], token) for place, token in enumerate(ids)]
        assert (one.text, one.tokens) == (text, tuple(ids))
        assert one.logps == pytest.approx(want, abs=1e-5)
        assert one.logp == pytest.approx(sum(want), abs=1e-5)


def test_after_a_context_only_the_text_is_scored_and_a_shared_piece_counts_with_the_text() -> None:
    found = _scored(["de", "bd", "d"], contexts=["xyz", "xa", ""])
    assert [one.tokens for one in found] == [(8, 9), (30, 8), (8,)]
    assert found[0].logps == pytest.approx(
        [_by_hand([1, 28, 29, 30], 8), _by_hand([1, 28, 29, 30, 8], 9)], abs=1e-5
    )
    assert found[1].logps[0] == pytest.approx(_by_hand([1, 28], 30), abs=1e-5)


@pytest.mark.parametrize("stride", [1, 3, 8])
def test_a_long_text_is_read_in_windows_that_slide(stride: int) -> None:
    text = "cdefghijklmnopqrstuvwx"
    (one,) = _scored([text], stride=stride)
    whole = [1, *Letters().encode_batch([text])[0]]
    want, done = [], 1
    while done < len(whole):
        end = LONGEST + 1 if done == 1 else min(done + stride, len(whole))
        begin = max(0, end - 1 - LONGEST)
        want += [_by_hand(whole[begin:place], whole[place]) for place in range(done, end)]
        done = end
    assert one.logps == pytest.approx(want, abs=1e-5)


def test_a_context_longer_than_the_model_is_read_from_its_end() -> None:
    context = "cdefghijklmnopqrst"
    (one,) = _scored(["uv"], contexts=[context], stride=2)
    ids = Letters().encode_batch([context + "uv"])[0]
    assert one.logps == pytest.approx(
        [_by_hand(ids[-9:-2], ids[-2]), _by_hand(ids[-9:-1], ids[-1])], abs=1e-5
    )


def test_batches_and_company_change_nothing() -> None:
    texts = ["cd", "cdefghijklmnopq", "z", "yxwvu"]
    together = _scored(texts)
    for options in ({"tokens_per_batch": 1}, {"window": 2}):
        for one, two in zip(together, _scored(texts, **options), strict=True):
            assert one.logps == pytest.approx(two.logps, abs=1e-5)


def test_perplexity_and_bits_are_of_tokens_bytes_and_characters() -> None:
    korean = Score("한글", (5, 6, 7), (-1.0, -2.0, -3.0)).likelihood
    assert (korean.nats, korean.tokens, korean.bytes, korean.characters) == (6.0, 3, 6, 2)
    assert korean.perplexity == pytest.approx(math.e**2)
    assert korean.bits_per_byte == pytest.approx(1 / math.log(2))
    assert korean.bits_per_character == pytest.approx(3 / math.log(2))
    both = korean + Likelihood(4.0, 2, 4, 4)
    assert (both.loss, both.bits_per_byte) == (2.0, pytest.approx(1 / math.log(2)))
    assert math.isnan(Likelihood().perplexity)
    assert Likelihood(1e6, 1, 1, 1).perplexity == math.inf


def test_bad_strides_and_unequal_contexts_are_refused() -> None:
    for stride in (0, LONGEST + 1):
        with pytest.raises(UserError, match=f"stride {stride} does not fit the model, which reads 8 tokens"):
            _scored(["c"], stride=stride)
    with pytest.raises(UserError, match="not as many contexts as texts"):
        _scored(["c", "d"], contexts=["c"])


def test_scores_that_are_no_numbers_are_told() -> None:
    model = gpt.Model(_model().config)
    with torch.no_grad():
        model.embedding.table.weight.fill_(torch.nan)
    with pytest.raises(RunError, match="not numbers"):
        list(score(model, Letters(), ["cd"]))


def test_shares_of_what_is_read_ahead_are_told_and_add_up_to_one() -> None:
    told: list[float] = []
    texts = ["abcdefgh" * 5, "cd"]
    found = list(score(_model(), Letters(), texts, tokens_per_batch=LONGEST, on_share=told.append))
    assert len(found) == 2
    assert len(told) > 2
    assert sum(told) == pytest.approx(1.0)
