"""The score of a hypothesis, and how long it may be."""

from __future__ import annotations

import pytest

from glassformer.base.errors import UserError
from glassformer.decode.hypothesis import normalise, row_limits
from glassformer.decode.settings import Decoding


def test_the_length_penalties_are_those_of_their_papers() -> None:
    assert normalise(-6.0, 1, Decoding(length_penalty=0.6)) == -6.0
    assert normalise(-6.0, 7, Decoding(length_penalty=1.0)) == -3.0
    assert normalise(-6.0, 9, Decoding(length_penalty=0.5, length_penalty_form="power")) == -2.0
    assert normalise(-6.0, 9, Decoding(length_penalty=0.0, length_penalty_form="power")) == -6.0


def test_an_empty_hypothesis_has_a_score() -> None:
    assert normalise(0.0, 0, Decoding(length_penalty=-1.0, length_penalty_form="power")) == 0.0


def test_one_limit_is_that_of_every_row() -> None:
    assert row_limits(7, 3, None) == [7, 7, 7]
    assert row_limits([1, 2], 2, [[5], [5, 6]]) == [1, 2]


def test_limits_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(UserError, match="row 0: the target may have 0 tokens"):
        row_limits(0, 1, None)
    with pytest.raises(
        UserError, match="row 1: the forced beginning has 2 tokens but the target may have only 1"
    ):
        row_limits(1, 2, [[5], [5, 6]])
    with pytest.raises(ValueError, match="2 rows need 2 limits"):
        row_limits([1], 2, None)
