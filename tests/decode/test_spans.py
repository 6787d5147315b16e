"""The best runs of tokens: what an exhaustive search finds, over windows, lengths and shared characters."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.decode.spans import Window, candidates, found


@st.composite
def asked(draw):
    """Windows over a text that cover it, with scores that may tie, and the characters of its tokens."""
    size = draw(st.integers(1, 9))
    width = draw(st.integers(1, size))
    step = draw(st.integers(1, width))
    value = st.integers(-6, 6).map(lambda number: number / 2)
    windows = []
    for begin in range(0, max(1, size - width + step), step):
        held = min(width, size - begin)
        rows = [draw(st.lists(value, min_size=held, max_size=held)) for _ in range(2)]
        windows.append(Window(begin, torch.tensor(rows[0]), torch.tensor(rows[1]), draw(value)))
    lengths = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    starts, at = [], 0
    for length in lengths:
        starts.append(at)
        at += length
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    if draw(st.booleans()):  # pieces that share a character
        starts[-1] = starts[max(0, size - 2)]
    return windows, starts, ends, draw(st.integers(1, size + 1)), draw(st.integers(1, 5))


def exhaustive(windows, starts, ends, longest):
    """The score of every run by two loops over each window."""
    scores = {}
    for window in windows:
        for one in range(len(window.starts)):
            for other in range(one, len(window.ends)):
                first, last = window.begin + one, window.begin + other
                if other - one < longest and starts[first] < ends[first] and starts[last] < ends[last]:
                    score = float(window.starts[one] + window.ends[other])
                    scores[first, last] = max(scores.get((first, last), -math.inf), score)
    return scores


@settings(max_examples=60, deadline=None)
@given(given_=asked(), silent=st.booleans())
def test_the_best_runs_are_those_of_an_exhaustive_search(given_, silent) -> None:
    windows, starts, ends, longest, top_k = given_
    scores = exhaustive(windows, starts, ends, longest)
    told = found(windows, (torch.tensor(starts), torch.tensor(ends)), longest, top_k, silent=silent)
    null = min(window.null for window in windows)
    if not scores:
        assert told.spans == () and told.silence == silent
        return
    total = sum(map(math.exp, scores.values())) + (math.exp(null) if silent else 0.0)
    seen, wanted = set(), []
    for (first, last), score in sorted(scores.items(), key=lambda item: (-item[1], item[0])):
        if (starts[first], ends[last]) not in seen:
            seen.add((starts[first], ends[last]))
            wanted.append((first, last, score))
    assert [(one.first, one.last, one.score) for one in told.spans] == wanted[:top_k]
    assert [one.probability for one in told.spans] == [
        pytest.approx(math.exp(score) / total) for _, _, score in wanted[:top_k]
    ]
    assert told.null == null - wanted[0][2]
    assert told.silence == pytest.approx(math.exp(null) / total if silent else 0.0)


@settings(max_examples=40, deadline=None)
@given(given_=asked())
def test_every_run_has_its_score_and_no_other_has_one(given_) -> None:
    windows, starts, ends, longest, _ = given_
    table = candidates(windows, torch.tensor(starts) < torch.tensor(ends), longest)
    held = {(at, at + more): table[at, more].item() for at, more in (table > -torch.inf).nonzero().tolist()}
    assert held == exhaustive(windows, starts, ends, longest)


def test_a_run_must_lie_in_one_window() -> None:
    zeros = torch.zeros(2)
    table = candidates([Window(0, zeros, zeros, 0.0), Window(2, zeros, zeros, 0.0)], torch.ones(4).bool(), 3)
    assert (table > -torch.inf).nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [3, 0]]


def test_a_text_without_a_token_has_no_answer() -> None:
    none = torch.zeros(0)
    told = found([Window(0, none, none, 1.0)], (none.long(), none.long()), 3, silent=True)
    assert (told.spans, told.silence) == ((), 1.0) and told.null == math.inf
