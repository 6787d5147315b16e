import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from glassformer.data.permutation import derive, permute

keys = st.integers(0, 2**64 - 1)


@settings(max_examples=60)
@given(st.integers(1, 5000), keys)
def test_every_item_has_exactly_one_place(size, key):
    assert np.array_equal(np.sort(permute(np.arange(size), size, key)), np.arange(size))


@given(st.integers(2**31, 2**40), keys)
def test_a_few_items_of_very_many_can_be_placed(size, key):
    places = permute(np.array([0, 1, size // 2, size - 1]), size, key)
    assert len(set(places.tolist())) == 4
    assert places.min() >= 0
    assert places.max() < size


@given(st.integers(1, 300), keys, st.data())
def test_a_part_is_placed_as_in_the_whole(size, key, data):
    start = data.draw(st.integers(0, size - 1))
    whole = permute(np.arange(size), size, key)
    assert np.array_equal(permute(np.arange(start, size), size, key), whole[start:])


def test_each_item_comes_to_each_place_about_equally_often():
    size, trials = 13, 1040
    seen = np.zeros((size, size))
    for key in range(trials):
        seen[np.arange(size), permute(np.arange(size), size, derive(key))] += 1
    expected = trials / size
    spread = ((seen - expected) ** 2 / expected).sum()
    # Chi-square with 144 degrees of freedom: mean 144, standard deviation 17.
    assert spread < 144 + 5 * 17


def test_neighbours_are_torn_apart():
    size = 10_000
    places = permute(np.arange(size), size, derive(1)).astype(float)
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(places, np.arange(size))[0, 1]) < 0.05


def test_keys_differ_for_different_sequences_of_numbers():
    sequences = [(), (0,), (0, 0), (1,), (0, 1), (1, 0), (-1,), (2**40,), (2**40, 0)]
    assert len({derive(*sequence) for sequence in sequences}) == len(sequences)
