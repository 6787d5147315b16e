"""The likeliest legal sequence is that of trying all of them."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.data.tags import Scheme, all_tags, faults, transitions
from glassformer.objectives.sequence import likeliest


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(0, 999), st.sampled_from(["iob1", "iob2", "bioes"]))
def test_no_legal_sequence_is_likelier(places: int, seed: int, scheme: Scheme) -> None:
    labels = all_tags(["A"] if scheme == "bioes" else ["A", "B"], scheme)
    logp = np.log(np.random.default_rng(seed).dirichlet(np.full(len(labels), 0.5), places))
    found = likeliest(logp, transitions(labels, scheme))
    sums = {
        row: sum(logp[place, label] for place, label in enumerate(row))
        for row in product(range(len(labels)), repeat=places)
        if not list(faults([labels[label] for label in row], scheme))
    }
    assert tuple(found.tolist()) in sums
    assert sums[tuple(found.tolist())] == pytest.approx(max(sums.values()))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(0, 999))
def test_any_rule_of_what_may_follow_what_is_kept(places: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    logp, legal = chance.normal(size=(places, 3)), chance.random((4, 4)) < 0.6
    found = likeliest(logp, legal)
    sums = {}
    for row in product(range(3), repeat=places):
        steps = pairwise([3, *row, 3])
        if all(legal[one, other] for one, other in steps):
            sums[row] = sum(logp[place, label] for place, label in enumerate(row))
    if sums:
        assert sums[tuple(found.tolist())] == pytest.approx(max(sums.values()))
    else:
        assert found.tolist() == logp.argmax(1).tolist()


def test_a_label_of_probability_zero_is_taken_where_nothing_else_is_legal() -> None:
    legal = transitions(["B-A", "I-A"], "iob2")
    assert likeliest(np.array([[-np.inf, 0.0]]), legal).tolist() == [0]


def test_of_no_place_there_is_nothing() -> None:
    assert likeliest(np.zeros((0, 2)), np.ones((3, 3), dtype=bool)).tolist() == []
