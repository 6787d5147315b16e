"""Beam search: exact when it is wide, greedy when it is narrow, and blind to batch mates."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_states import Recurrence, Table, everything

from glassformer.base.errors import RunError, UserError
from glassformer.decode.hypothesis import Hypothesis, normalise
from glassformer.decode.search import search, searching
from glassformer.decode.settings import Decoding
from glassformer.decode.state import State

SEEDS = list(range(12))


def _search(
    state: State, rows: int, max_length: int | Sequence[int] = 8, prefix: Any = None, **settings: Any
) -> list[list[Hypothesis]]:
    return search(
        state,
        rows,
        bos_id=1,
        eos_id=2,
        pad_id=0,
        settings=Decoding(**settings),
        max_length=max_length,
        prefix=prefix,
    )


def _close(got: Sequence[Hypothesis], want: Sequence[Hypothesis]) -> bool:
    return [one.tokens for one in got] == [one.tokens for one in want] and all(
        one.score == pytest.approx(two.score, abs=1e-5) for one, two in zip(got, want, strict=True)
    )


@pytest.mark.parametrize("form", ["gnmt", "power"])
@pytest.mark.parametrize("penalty", [-1.5, -0.3, 0.0, 0.6, 1.0, 2.5])
@pytest.mark.parametrize(("limit", "listed"), [(1, 1), (2, 3), (3, 1), (3, 9), (4, 1)])
def test_a_wide_beam_equals_exhaustive_search(form: Any, penalty: float, limit: int, listed: int) -> None:
    settings = Decoding(
        num_beams=6**limit,
        num_return_sequences=min(listed, 6**limit),
        length_penalty=penalty,
        length_penalty_form=form,
    )
    for seed in range(2 if limit == 4 else 8):
        want = sorted(everything(seed, limit), key=lambda one: -normalise(one[0], len(one[1]), settings))
        got = search(
            Recurrence([seed]), 1, bos_id=1, eos_id=2, pad_id=0, settings=settings, max_length=limit
        )[0]
        assert [one.tokens for one in got] == [tokens for _, tokens in want[: len(got)]]
        assert got[0].logp == pytest.approx(want[0][0], abs=1e-5)
        assert got[0].score == pytest.approx(normalise(want[0][0], len(want[0][1]), settings), abs=1e-5)
        assert len(got) == settings.num_return_sequences


@pytest.mark.parametrize("penalty", [-1.0, 0.6, 2.0])
def test_a_wide_beam_is_exact_after_a_forced_beginning(penalty: float) -> None:
    settings = Decoding(num_beams=300, num_return_sequences=3, length_penalty=penalty)
    fitting = [one for one in everything(5, 4) if one[1][:2] == (4, 0)]
    want = sorted(fitting, key=lambda one: -normalise(one[0], len(one[1]), settings))[:3]
    got = search(
        Recurrence([5]), 1, bos_id=1, eos_id=2, pad_id=0, settings=settings, max_length=4, prefix=[[4, 0]]
    )[0]
    assert [one.tokens for one in got] == [tokens for _, tokens in want]
    assert got[0].logp == pytest.approx(want[0][0], abs=1e-5)


def test_one_beam_is_greedy_search() -> None:
    for stopping in (True, False, "never"):
        got = _search(Recurrence(SEEDS), len(SEEDS), 10, num_beams=1, early_stopping=stopping)
        for seed, (one,) in zip(SEEDS, got, strict=True):
            state, last, tokens, logp = Recurrence([seed]), 1, [], 0.0
            while last != 2 and len(tokens) < 10:
                scores = state.step(torch.tensor([last])).log_softmax(dim=-1)[0]
                last = int(scores.argmax())
                logp += scores[last].item()
                tokens.append(last)
            assert one.tokens == tuple(tokens)
            assert one.logp == pytest.approx(logp, abs=1e-5)


@pytest.mark.parametrize("stopping", [True, False, "never"])
@pytest.mark.parametrize("beams", [1, 3, 4])
def test_batch_mates_and_their_order_change_nothing(beams: int, stopping: Any) -> None:
    asked = {"num_beams": beams, "num_return_sequences": min(beams, 2), "early_stopping": stopping}
    limits = [3 + seed % 6 for seed in SEEDS]
    together = _search(Recurrence(SEEDS), len(SEEDS), limits, **asked)
    backwards = _search(Recurrence(SEEDS[::-1]), len(SEEDS), limits[::-1], **asked)[::-1]
    alone = [
        _search(Recurrence([seed]), 1, limit, **asked)[0] for seed, limit in zip(SEEDS, limits, strict=True)
    ]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert _close(one, two)
        assert _close(one, three)


@pytest.mark.parametrize("beams", [1, 4])
def test_settled_sentences_leave_and_the_work_shrinks(beams: int) -> None:
    limits = [1, 2, 3, 3, 9]
    table = torch.zeros(5, 6, 6)
    table[:, :, 2] = -50.0  # the end is never likely, so that every row runs into its limit
    state = Table(table)
    _search(state, 5, limits, num_beams=beams)
    assert state.widths == [5, *(rows * beams for rows in (4, 3, 1, 1, 1, 1, 1, 1))]


def test_the_exact_bound_stops_long_before_the_limit() -> None:
    table = torch.full((1, 6, 6), -4.0)
    table[:, :, 2] = 4.0
    state = Table(table)
    _search(state, 1, 500, num_beams=3, length_penalty=0.6)
    assert len(state.widths) < 20


def test_the_bound_of_a_penalty_on_length_is_the_next_token_and_not_the_limit() -> None:
    table = torch.full((1, 6, 6), -30.0)
    table[0, 1, 2], table[0, 1, 3], table[0, 3, 2] = 0.0, 2.0, 9.0
    (listed,) = _search(Table(table), 1, 50, num_beams=2, length_penalty=-1.0, length_penalty_form="power")
    assert listed[0].tokens == (3, 2)


def test_the_n_best_list_is_sorted_and_distinct() -> None:
    for listed in _search(Recurrence(SEEDS), len(SEEDS), 7, num_beams=5, num_return_sequences=5):
        assert len({one.tokens for one in listed}) == len(listed) == 5
        assert [one.score for one in listed] == sorted((one.score for one in listed), reverse=True)


def test_a_longer_list_begins_with_the_shorter_one() -> None:
    short = _search(Recurrence(SEEDS), len(SEEDS), 7, num_beams=5)
    long = _search(Recurrence(SEEDS), len(SEEDS), 7, num_beams=5, num_return_sequences=5)
    assert all(_close(one, five[:1]) for one, five in zip(short, long, strict=True))


def test_ties_go_to_the_lower_token() -> None:
    (listed,) = _search(
        Table(torch.zeros(1, 6, 6)), 1, 2, num_beams=4, num_return_sequences=4, length_penalty=0.0
    )
    assert [one.tokens for one in listed] == [(2,), (0, 0), (0, 1), (0, 2)]


def test_beams_reorder_their_states() -> None:
    table = torch.full((1, 6, 6), -9.0)
    table[0, 1, 3], table[0, 1, 4] = 1.0, 0.9  # 3 leads at first,
    table[0, 4, 5], table[0, 5, 2] = 9.0, 9.0  # but only 4 goes on well
    (listed,) = _search(Table(table), 1, 5, num_beams=2)
    assert listed[0].tokens == (4, 5, 2)


@pytest.mark.parametrize("beams", [1, 3])
def test_lengths_are_bounded_from_both_sides(beams: int) -> None:
    for least, most in ((0, 3), (2, 5), (6, 6), (4, 9)):
        lists = _search(Recurrence(SEEDS), 12, most, num_beams=beams, min_new_tokens=least)
        for (one,) in lists:
            written = len(one.tokens) - (one.tokens[-1] == 2)
            assert least <= written
            assert len(one.tokens) <= most


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_comes_twice(beams: int, size: int) -> None:
    asked = {"num_beams": beams, "min_new_tokens": 5}
    free = _search(Recurrence(SEEDS), 12, 14, **asked)
    bound = _search(Recurrence(SEEDS), 12, 14, no_repeat_ngram_size=size, **asked)
    assert any(_repeats(one.tokens, size) for (one,) in free)
    assert not any(_repeats(one.tokens, size) for (one,) in bound)


def _repeats(tokens: tuple[int, ...], size: int) -> bool:
    grams = (
        list(itertools.pairwise(tokens))
        if size == 2
        else [tokens[place : place + size] for place in range(len(tokens) - size + 1)]
    )
    return len(set(grams)) < len(grams)


@pytest.mark.parametrize("beams", [1, 4])
def test_each_row_keeps_its_own_forced_beginning(beams: int) -> None:
    prefix = [[3, 3, 3, 3], [], [5], [0, 4], [4] * 9]
    filters = {"no_repeat_ngram_size": 2, "suppress_tokens": (5,), "min_new_tokens": 3}
    got = _search(Recurrence(SEEDS[:5]), 5, 9, prefix, num_beams=beams, **filters)
    for start, (one,), seed in zip(prefix, got, SEEDS, strict=False):
        assert one.tokens[: len(start)] == tuple(start)
        assert 5 not in one.tokens[len(start) :]
        alone = _search(Recurrence([seed]), 1, 9, [start], num_beams=beams, **filters)
        assert _close(alone[0], [one])


def test_filters_do_not_change_a_score() -> None:
    (free,) = _search(Recurrence([4]), 1, 8, num_beams=4)
    (forced,) = _search(Recurrence([4]), 1, 8, [free[0].tokens[:2]], num_beams=4)
    assert _close(free, forced)


def test_suppressed_tokens_are_never_written() -> None:
    lists = _search(Recurrence(SEEDS), 12, 8, num_beams=3, num_return_sequences=3, suppress_tokens=(0, 1, 5))
    assert not {0, 1, 5} & {token for listed in lists for one in listed for token in one.tokens}


def test_a_dead_end_gives_what_was_written() -> None:
    # Three tokens may each come once and the end not before ten: after three nothing is left.
    (listed,) = _search(
        Recurrence([0]), 1, 20, num_beams=3, no_repeat_ngram_size=1, min_new_tokens=10, suppress_tokens=(0, 1)
    )
    assert sorted(listed[0].tokens) == [3, 4, 5]
    (listed,) = _search(Recurrence([0]), 1, 20, suppress_tokens=(0, 1, 2, 3, 4, 5))
    assert (listed[0].tokens, listed[0].logp) == ((), 0.0)


@pytest.mark.parametrize("spoilt", [float("nan"), float("inf")])
@pytest.mark.parametrize("beams", [1, 4])
def test_scores_that_are_not_numbers_stop_the_run(spoilt: float, beams: int) -> None:
    table = torch.zeros(2, 6, 6)
    table[1, 3:, 4] = spoilt
    table[1, 1, 3] = 9.0
    with pytest.raises(RunError, match="not numbers"):
        _search(Table(table), 2, 5, num_beams=beams)


def test_a_forbidden_score_of_minus_infinity_is_fine() -> None:
    table = torch.zeros(1, 6, 6)
    table[:, :, 3:] = -torch.inf
    (listed,) = _search(Table(table), 1, 4, num_beams=4, num_return_sequences=4)
    assert not {3, 4, 5} & {token for one in listed for token in one.tokens}


def test_beams_that_do_not_exist_write_padding() -> None:
    seen: list[list[int]] = []

    class Noted(Table):
        def step(self, tokens: Tensor) -> Tensor:
            seen.append(tokens.tolist())
            return super().step(tokens)

    table = torch.full((1, 6, 6), -torch.inf)
    table[:, :, [2, 3]] = 0.0
    _search(Noted(table), 1, 3, num_beams=3, min_new_tokens=3)
    assert seen == [[1], [3, 0, 0], [3, 0, 0]]


def test_no_rows_give_no_lists() -> None:
    assert _search(Recurrence([]), 0) == []


def test_impossible_requests_are_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="row 1: the forced beginning has 3 tokens"):
        _search(Recurrence([1, 2]), 2, 2, [[], [3, 3, 3]])
    with pytest.raises(UserError, match="contains the end token"):
        _search(Recurrence([1]), 1, 8, [[3, 2]])
    with pytest.raises(UserError, match="at least 1"):
        _search(Recurrence([1, 2]), 2, [3, 0])


def test_every_row_may_begin_with_a_token_of_its_own() -> None:
    for beams in (1, 3):
        asked = {"eos_id": 2, "pad_id": 0, "settings": Decoding(num_beams=beams), "max_length": 9}
        together = search(Recurrence(SEEDS[:4]), 4, bos_id=[1, 3, 4, 1], **asked)
        for row, first in enumerate((1, 3, 4, 1)):
            (alone,) = search(Recurrence([SEEDS[row]]), 1, bos_id=first, **asked)
            assert _close(together[row], alone)
    with pytest.raises(ValueError, match="4 rows need 4 first tokens"):
        search(Recurrence(SEEDS[:4]), 4, bos_id=[1, 3], **asked)


@pytest.mark.parametrize("beams", [1, 4])
def test_log_probabilities_are_the_models_own_whatever_the_penalty(beams: int) -> None:
    known = {tokens: logp for logp, tokens in everything(3, 4)}
    (free,) = _search(Recurrence([3]), 1, 4, num_beams=beams, num_return_sequences=beams)
    (listed,) = _search(
        Recurrence([3]), 1, 4, num_beams=beams, num_return_sequences=beams, repetition_penalty=3.0
    )
    assert [one.tokens for one in listed] != [one.tokens for one in free]
    for one in listed:
        assert one.logp == pytest.approx(known[one.tokens], abs=1e-5)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_text_ends_where_it_is_told_to(beams: int) -> None:
    def over(texts: Tensor, rows: Tensor) -> Tensor:
        assert len(texts) == len(rows)
        return (rows % 2 == 0) & (texts[:, -1] == 4)

    asked = {"bos_id": 1, "eos_id": 2, "pad_id": 0, "max_length": 12}
    settings = Decoding(num_beams=beams, num_return_sequences=beams, suppress_tokens=(2,))
    lists = search(Recurrence(SEEDS), len(SEEDS), settings=settings, over=over, **asked)
    ends = [one.tokens for listed in lists[::2] for one in listed if len(one.tokens) < 12]
    assert ends
    assert all(tokens[-1] == 4 and 4 not in tokens[:-1] for tokens in ends)
    assert all(len(one.tokens) == 12 for listed in lists[1::2] for one in listed)


def test_a_search_can_be_watched() -> None:
    asked = {"bos_id": 1, "eos_id": 2, "pad_id": 0, "settings": Decoding(num_beams=1), "max_length": 7}
    run = searching(Recurrence([5]), 1, **asked)
    seen = [tuple(row) for step in run for row in step.tolist()]
    ((one,),) = search(Recurrence([5]), 1, **asked)
    assert len(one.tokens) > 2
    assert seen == [one.tokens[:length] for length in range(1, len(one.tokens))]
