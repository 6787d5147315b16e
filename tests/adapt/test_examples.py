"""Examples are drawn by a seed alone, of all labels alike, and the nearest are those that are most alike."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from glassformer.adapt.examples import Overlap, drawn, nearest, ordered, relabelled

LABELS = ["a"] * 20 + ["b"] * 5 + ["c"] * 2


def test_balanced_examples_are_of_every_label_in_turn_as_long_as_there_are_some():
    for count in range(len(LABELS) + 1):
        places = drawn(LABELS, count, 1, balanced=True)
        assert len(set(places)) == count
        of = Counter(LABELS[place] for place in places)
        for label in "abc":
            assert of[label] >= min(count // 3, LABELS.count(label))
    assert max(Counter(LABELS[place] for place in drawn(LABELS, 6, 3, balanced=True)).values()) == 2


@pytest.mark.parametrize("balanced", [True, False])
def test_fewer_examples_are_the_first_of_more_and_another_seed_draws_others(balanced: bool):
    most = drawn(LABELS, 12, 5, balanced=balanced)
    assert [drawn(LABELS, count, 5, balanced=balanced) for count in range(13)] == [
        most[:count] for count in range(13)
    ]
    assert most == drawn(LABELS, 12, 5, balanced=balanced)
    assert most != drawn(LABELS, 12, 6, balanced=balanced)
    assert sorted(drawn(LABELS, 99, 5, balanced=balanced)) == list(range(len(LABELS)))


def test_random_examples_follow_the_labels_as_they_are():
    of = Counter(LABELS[drawn(LABELS, 1, seed, balanced=False)[0]] for seed in range(600))
    assert of["a"] / 600 == pytest.approx(20 / 27, abs=0.06)
    of = Counter(LABELS[drawn(LABELS, 1, seed, balanced=True)[0]] for seed in range(600))
    assert of["a"] / 600 == pytest.approx(1 / 3, abs=0.06)


def test_an_order_changes_nothing_but_the_order():
    places = [7, 3, 9, 1, 4]
    assert ordered(places, 0) == places
    assert ordered(places, 2) == ordered(places, 2) != places
    assert sorted(ordered(places, 2)) == sorted(places)
    assert len({tuple(ordered(places, seed)) for seed in range(20)}) > 10


def test_control_labels_are_drawn_evenly_whatever_the_own_ones():
    found = relabelled(["a"] * 900, ["a", "b", "c"], 1)
    assert all(abs(share - 300) < 60 for share in Counter(found).values())
    assert found != relabelled(["a"] * 900, ["a", "b", "c"], 2)


def test_overlap_is_that_of_sets_of_triples():
    pool = ["정말 재미있다", "재미없다", "", "The CAT sleeps", "zzz"]
    overlap = Overlap(pool)

    def triples(text: str) -> set[str]:
        bare = f" {' '.join(text.lower().split())} "
        return {bare[place : place + 3] for place in range(max(len(bare) - 2, 1))}

    for text in ["정말  재미있다", "the cat", "q", ""]:
        want = [len(triples(text) & triples(one)) / len(triples(text) | triples(one)) for one in pool]
        assert overlap(text) == pytest.approx(want)
    assert overlap("정말 재미있다")[0] == 1


def test_the_nearest_stands_last():
    assert nearest(np.array([0.1, 0.9, 0.5, 0.9]), 3).tolist() == [2, 3, 1]
    assert nearest(np.array([0.1, 0.9]), 0).tolist() == []
