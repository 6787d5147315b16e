"""Sampling draws what the distribution says, from a stream of chance that belongs to the row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from toy_states import Recurrence, Table

from glassformer.base.errors import RunError
from glassformer.decode.hypothesis import Hypothesis
from glassformer.decode.sample import draw, sample
from glassformer.decode.settings import Decoding
from glassformer.decode.state import State

SEEDS = list(range(9))
LOGITS = torch.tensor([1.0, -2.0, 0.3, 2.2, -0.4, 0.0])


def _sample(
    state: State,
    rows: int,
    max_length: int | Sequence[int] = 8,
    prefix: Any = None,
    streams: Any = None,
    **settings: Any,
) -> list[list[Hypothesis]]:
    asked = Decoding(do_sample=True, **settings)
    return sample(
        state, rows, bos_id=1, eos_id=2, settings=asked, max_length=max_length, prefix=prefix, streams=streams
    )


@pytest.mark.parametrize(
    ("narrowed", "kept"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"temperature": 2.0}, [0, 1, 2, 3, 4, 5]),
        ({"temperature": 0.5}, [0, 1, 2, 3, 4, 5]),
        ({"top_k": 3}, [0, 2, 3]),
        ({"top_p": 0.75}, [0, 3]),
        ({"top_p": 0.9, "temperature": 2.0}, [0, 2, 3, 4, 5]),
        ({"top_k": 2, "top_p": 0.7}, [3]),
        ({"top_p": 0.01}, [3]),
        ({"top_k": 100}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_tokens_come_as_often_as_the_narrowed_softmax_says(narrowed: Any, kept: list[int]) -> None:
    settings = Decoding(do_sample=True, **narrowed)
    many = 4000
    uniform = (torch.arange(many).double() + 0.5) / many
    got = draw(LOGITS.log_softmax(0).expand(many, -1), uniform, settings)
    want = torch.full((6,), -torch.inf)
    want[kept] = LOGITS[kept] / settings.temperature
    frequency = torch.bincount(got, minlength=6) / many
    assert (frequency - want.softmax(0)).abs().max() < 1e-3


def test_a_token_without_probability_is_never_drawn() -> None:
    logp = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]]).log_softmax(1).expand(5, -1)
    uniform = torch.tensor([0.0, 0.5, 0.499, 1 - 2**-53, 0.75]).double()
    assert draw(logp, uniform, Decoding(do_sample=True)).tolist() == [1, 3, 1, 3, 3]


def test_streams_are_uniform_and_independent() -> None:
    table = LOGITS.expand(300, 6, 6)
    lists = _sample(Table(table), 300, 1, num_return_sequences=10)
    counts = Counter(one.tokens[0] for listed in lists for one in listed)
    for token, share in enumerate(LOGITS.softmax(0).tolist()):
        assert counts[token] / 3000 == pytest.approx(share, abs=0.03)


def test_the_seed_decides_everything() -> None:
    first, again, other = (
        _sample(Recurrence(SEEDS), 9, num_return_sequences=3, seed=seed) for seed in (5, 5, 6)
    )
    assert first == again
    assert first != other


def test_draws_of_one_row_differ() -> None:
    (listed,) = _sample(Recurrence([1]), 1, 8, num_return_sequences=6, temperature=3.0)
    assert len({one.tokens for one in listed}) > 3


def test_batch_mates_and_a_longer_limit_change_nothing() -> None:
    together = _sample(Recurrence(SEEDS), 9, [5 + seed for seed in SEEDS], num_return_sequences=2)
    for seed in SEEDS:
        (alone,) = _sample(Recurrence([seed]), 1, 5 + seed, streams=[seed], num_return_sequences=2)
        assert [one.tokens for one in alone] == [one.tokens for one in together[seed]]
        (longer,) = _sample(Recurrence([seed]), 1, 30, streams=[seed], num_return_sequences=2)
        for one, two in zip(alone, longer, strict=True):
            assert two.tokens[: len(one.tokens)] == one.tokens


def test_a_score_is_the_models_own() -> None:
    lists = _sample(
        Recurrence(SEEDS), 9, temperature=3.0, top_k=4, length_penalty=1.0, length_penalty_form="power"
    )
    for seed, (one,) in zip(SEEDS, lists, strict=True):
        state, last, logp = Recurrence([seed]), 1, 0.0
        for token in one.tokens:
            logp += state.step(torch.tensor([last])).log_softmax(1)[0, token].item()
            last = token
        assert one.logp == pytest.approx(logp, abs=1e-4)
        assert one.score == pytest.approx(logp / len(one.tokens), abs=1e-4)


def test_rows_that_have_ended_leave() -> None:
    table = torch.zeros(4, 6, 6)
    table[:, :, 2] = -60.0
    state = Table(table)
    _sample(state, 4, [1, 2, 2, 5], num_return_sequences=2)
    assert state.widths == [8, 6, 2, 2, 2]


def test_filters_hold_in_sampling_too() -> None:
    prefix = [[3, 3], [], [0, 4, 5]]
    lists = _sample(
        Recurrence(SEEDS[:3]), 3, 9, prefix, min_new_tokens=5, no_repeat_ngram_size=2, suppress_tokens=(1,),
        num_return_sequences=5,
    )  # fmt: skip
    for start, listed in zip(prefix, lists, strict=True):
        for one in listed:
            assert one.tokens[: len(start)] == tuple(start)
            assert 1 not in one.tokens
            assert 2 not in one.tokens[:5]
            grams = list(zip(one.tokens, one.tokens[1:], strict=False))
            assert len(set(grams)) == len(grams)


def test_a_dead_end_ends_the_draw_as_it_stands() -> None:
    ((one,),) = _sample(
        Recurrence([0]), 1, 9, no_repeat_ngram_size=1, min_new_tokens=9, suppress_tokens=(0, 1)
    )
    assert sorted(one.tokens) == [3, 4, 5]
    assert one.logp > -torch.inf


def test_scores_that_are_not_numbers_stop_the_run() -> None:
    with pytest.raises(RunError, match="not numbers"):
        _sample(Table(torch.full((1, 6, 6), float("nan"))), 1)


def test_no_rows_give_no_lists() -> None:
    assert _sample(Recurrence([]), 0) == []


def test_the_context_counts_for_the_penalty_and_log_probabilities_stay_the_models_own() -> None:
    table = torch.tensor([0.0, 0.0, -3.0, 2.0, 0.0, 0.0]).expand(300, 6, 6)
    context = [[1, 3]] * 150 + [[1, 4]] * 150
    asked = {"bos_id": 1, "eos_id": 2, "max_length": 1, "context": context}
    lists = sample(Table(table), 300, settings=Decoding(do_sample=True, repetition_penalty=40.0), **asked)
    threes = [one.tokens == (3,) for (one,) in lists]
    assert sum(threes[:150]) < 50 < sum(threes[150:])
    want = table[0, 0].log_softmax(0)
    assert all(one.logp == pytest.approx(float(want[one.tokens[0]]), abs=1e-5) for (one,) in lists)


def test_a_draw_ends_where_it_is_told_to() -> None:
    asked = {"bos_id": 1, "eos_id": 2, "max_length": 30}
    settings = Decoding(do_sample=True, num_return_sequences=2, suppress_tokens=(2,))
    lists = sample(
        Recurrence(SEEDS),
        9,
        settings=settings,
        over=lambda texts, rows: (texts[:, -1] == 4) & (rows < 5),
        **asked,
    )
    ends = [one.tokens for listed in lists[:5] for one in listed]
    assert all(4 not in tokens[:-1] and (tokens[-1] == 4 or len(tokens) == 30) for tokens in ends)
    assert any(len(tokens) < 30 for tokens in ends)
    assert all(len(one.tokens) == 30 for listed in lists[5:] for one in listed)
