"""Filters forbid exactly what they say and leave every other log-probability as it was."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from glassformer.base.errors import UserError
from glassformer.decode.constrain import Constraints
from glassformer.decode.settings import Decoding

VOCAB, END = 7, 2


def _forbidden(written: list[list[int]], prefix: Any = None, **settings: Any) -> list[set[int]]:
    """The tokens forbidden after each text; the others must have kept their values."""
    constraints = Constraints(Decoding(**settings), eos_id=END, prefix=prefix, device=torch.device("cpu"))
    logp = torch.randn(len(written), VOCAB).log_softmax(dim=1)
    filtered = constraints.apply(logp.clone(), torch.tensor(written).long(), torch.arange(len(written)))
    gone = filtered == -torch.inf
    assert torch.equal(filtered[~gone], logp[~gone])
    return [set(row.nonzero().flatten().tolist()) for row in gone]


def test_nothing_is_forbidden_unless_asked() -> None:
    assert _forbidden([[1, 3, 3, 3], [4, 4, 4, 4]]) == [set(), set()]


def test_the_end_may_not_come_before_the_least_length() -> None:
    assert _forbidden([[3, 4]], min_new_tokens=3) == [{END}]
    assert _forbidden([[3, 4, 5]], min_new_tokens=3) == [set()]


def test_suppressed_tokens_are_forbidden_at_every_length() -> None:
    assert _forbidden([[], []], suppress_tokens=(0, 6)) == [{0, 6}, {0, 6}]
    assert _forbidden([[3]], suppress_tokens=(0, 6), min_new_tokens=2) == [{0, END, 6}]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, 15])
def test_what_would_repeat_an_ngram_is_forbidden_and_nothing_else(size: int, length: int) -> None:
    written = torch.randint(0, 3, (20, length)).tolist()
    want = [{token for token in range(VOCAB) if _repeats([*text, token], size)} for text in written]
    assert _forbidden(written, no_repeat_ngram_size=size) == want


def _repeats(text: list[int], size: int) -> bool:
    """Whether the last n-gram occurred before."""
    grams = [text[place : place + size] for place in range(len(text) - size + 1)]
    return bool(grams) and grams[-1] in grams[:-1]


def test_a_forced_beginning_leaves_one_token_whatever_the_filters_say() -> None:
    prefix = [[3, 3, 3], [3, 3], [5], []]
    others = set(range(VOCAB)) - {3}
    filters = {"no_repeat_ngram_size": 2, "suppress_tokens": (3,), "min_new_tokens": 9}
    free = {3, END}
    assert _forbidden([[3, 3]] * 4, prefix, **filters) == [others, free, free, free]
    assert _forbidden([[3, 3, 3]] * 4, prefix, **filters) == [free] * 4


def test_a_beam_follows_the_beginning_of_its_own_sentence() -> None:
    constraints = Constraints(Decoding(), eos_id=END, prefix=[[3], [4], [5]], device=torch.device("cpu"))
    logp: Tensor = torch.zeros(4, VOCAB)
    sentence = torch.tensor([2, 2, 0, 1])
    filtered = constraints.apply(logp, torch.empty(4, 0, dtype=torch.long), sentence)
    assert filtered.argmax(dim=1).tolist() == [5, 5, 3, 4]


def test_a_beginning_that_ends_is_refused() -> None:
    with pytest.raises(UserError, match="row 1: the forced beginning contains the end token"):
        _forbidden([[], []], [[3], [4, END]])


def _with_context(context: list[list[int]], written: list[list[int]], **settings: Any) -> list[set[int]]:
    constraints = Constraints(
        Decoding(**settings), eos_id=END, prefix=None, context=context, device=torch.device("cpu")
    )
    rows = torch.arange(len(written))
    filtered = constraints.apply(torch.zeros(len(written), VOCAB), torch.tensor(written).long(), rows)
    return [set(row.nonzero().flatten().tolist()) for row in filtered == -torch.inf]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [0, 1, 3, 9])
def test_ngrams_of_the_context_count_whatever_the_length_of_the_others(size: int, length: int) -> None:
    context = [torch.randint(0, 3, (1 + row % 7,)).tolist() for row in range(20)]
    written = torch.randint(0, 3, (20, length)).tolist()
    whole = [before + after for before, after in zip(context, written, strict=True)]
    want = [{token for token in range(VOCAB) if _repeats([*text, token], size)} for text in whole]
    assert _with_context(context, written, no_repeat_ngram_size=size) == want


def _penalised(scores: Tensor, context: Any, written: list[list[int]], **settings: Any) -> Tensor:
    constraints = Constraints(
        Decoding(**settings), eos_id=END, prefix=None, context=context, device=torch.device("cpu")
    )
    rows = torch.arange(len(written))
    return constraints.penalised(scores, scores.log_softmax(1), torch.tensor(written).long(), rows)


def test_the_penalty_weakens_what_was_seen_once_however_often_it_was_seen() -> None:
    scores = torch.tensor([[2.0, -2.0, 1.0, 0.0, 3.0, -1.0, 0.5]] * 2)
    got = _penalised(scores, [[4], [1, 1, 6]], [[0, 0], [5, 1]], num_beams=1, repetition_penalty=2.0)
    want = torch.tensor([[1.0, -2.0, 1.0, 0.0, 1.5, -1.0, 0.5], [2.0, -4.0, 1.0, 0.0, 3.0, -2.0, 0.25]])
    torch.testing.assert_close(got, want.log_softmax(1))


def test_with_several_beams_it_is_log_probabilities_that_are_penalised() -> None:
    scores = torch.tensor([[2.0, -2.0, 1.0, 0.0, 3.0, -1.0, 0.5]])
    want = scores.log_softmax(1)
    want[0, [0, 4]] *= 1.5
    got = _penalised(scores, None, [[0, 4]], num_beams=2, repetition_penalty=1.5)
    torch.testing.assert_close(got, want)


def test_without_a_penalty_nothing_is_copied() -> None:
    logp = torch.zeros(1, VOCAB)
    constraints = Constraints(Decoding(), eos_id=END, prefix=None, device=torch.device("cpu"))
    assert constraints.penalised(logp, logp, torch.tensor([[3]]), torch.tensor([0])) is logp
