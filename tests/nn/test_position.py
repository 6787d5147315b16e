"""Positions: the paper's functions, and a clear word when a text is too long."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glassformer.base.errors import UserError
from glassformer.nn.position import Positions, counted, sinusoid


@given(st.integers(0, 999), st.integers(0, 31))
def test_position_vectors_are_the_papers_functions(position: int, i: int) -> None:
    dim = 64
    vector = TABLE[position]
    angle = position / 10000 ** (2 * i / dim)
    assert float(vector[i]) == pytest.approx(math.sin(angle), abs=1e-6)
    assert float(vector[dim // 2 + i]) == pytest.approx(math.cos(angle), abs=1e-6)


TABLE = sinusoid(1000, 64)


def test_a_shift_by_k_is_the_same_rotation_everywhere() -> None:
    # §3.5: PE(p + k) is a linear function of PE(p), which is why these functions were chosen.
    sine, cosine = TABLE[:, :32], TABLE[:, 32:]
    for k in (1, 7):
        turn = k / torch.pow(10000.0, torch.arange(0, 64, 2) / 64)
        moved = sine[:-k] * turn.cos() + cosine[:-k] * turn.sin()
        torch.testing.assert_close(moved, sine[k:], rtol=0, atol=1e-3)


def test_fixed_vectors_are_no_weights_and_learned_ones_are() -> None:
    fixed, learned = Positions("sinusoidal", 10, 4), Positions("learned", 10, 4)
    assert list(fixed.parameters()) == []
    assert fixed.state_dict() == {}
    assert [weight.shape for weight in learned.parameters()] == [(10, 4)]


def test_the_vectors_begin_at_the_position_asked_for() -> None:
    positions = Positions("sinusoidal", 10, 4)
    assert torch.equal(positions(3, 2), sinusoid(10, 4)[3:5])
    assert positions(0, 10).shape == (10, 4)


@pytest.mark.parametrize(("start", "length"), [(0, 11), (10, 1), (9, 2)])
def test_a_text_that_is_too_long_is_refused(start: int, length: int) -> None:
    with pytest.raises(
        UserError, match=rf"a text of {start + length} tokens is longer than the model, which reads 10"
    ):
        Positions("sinusoidal", 10, 4)(start, length)


def test_positions_are_counted_over_what_is_kept() -> None:
    keep = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]).bool()
    assert counted(keep).tolist() == [[0, 0, 0, 1, 2], [0, 1, 2, 2, 2], [0, 0, 0, 0, 0]]


def test_every_row_may_have_positions_of_its_own() -> None:
    positions = Positions("sinusoidal", 10, 4)
    own = torch.tensor([[0, 0, 1], [7, 8, 9]])
    assert torch.equal(positions(own, 3), sinusoid(10, 4)[own])


def test_a_row_longer_than_the_model_is_refused_unless_it_is_longer_by_padding_alone() -> None:
    positions = Positions("sinusoidal", 3, 4)
    assert positions(torch.tensor([[0, 0, 1, 2]]), 4).shape == (1, 4, 4)
    with pytest.raises(UserError, match="a text of 4 tokens is longer than the model, which reads 3"):
        positions(torch.tensor([[0, 1, 2, 3]]), 4)
